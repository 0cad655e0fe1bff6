"""Dockerfile, compose file and Kubernetes manifests hang together: they are read by the tools that will read them, and what they
name exists."""
import json
import pathlib
import re
import subprocess
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVICES = {"rs485-bridge", "sensor-processor", "localization", "mapper", "storage", "api-gateway"}


def run(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def packages_of(text, marker):
    block = next(block for block in text.split("RUN ") if marker in block)
    return set(re.search(r"--no-install-recommends ([^&]*)&&", block)[1].replace("\\\n", " ").split())


class Compose(unittest.TestCase):
    def config(self, *profiles, files=("docker-compose.yml",)):
        options = [word for file in files for word in ("-f", file)]
        options += [word for profile in profiles for word in ("--profile", profile)]
        done = run("docker-compose", *options, "config")
        self.assertEqual(done.returncode, 0, done.stderr)
        return yaml.safe_load(done.stdout)["services"]

    def test_the_file_is_read_with_and_without_profiles(self):
        simulated = self.config("simulator")
        self.assertIn("rs485-bridge-simulated", simulated)
        self.assertLessEqual(SERVICES - {"rs485-bridge"}, set(simulated))

    def test_every_service_is_started_by_its_own_program(self):
        services = self.config("hardware")
        for name in SERVICES:
            self.assertEqual(services[name]["command"], [name])

    def test_only_the_gateway_is_reachable_and_only_from_this_host(self):
        for name, service in self.config("hardware", files=("docker-compose.yml", "docker-compose.postgres.yml")).items():
            ports = [str(port) for port in service.get("ports", [])]
            self.assertEqual(bool(ports), name == "api-gateway")
            self.assertTrue(all(port.startswith("127.0.0.1:") for port in ports))


    def test_storage_goes_to_postgresql_by_a_secret_file(self):
        services = self.config("hardware", files=("docker-compose.yml", "docker-compose.postgres.yml"))
        storage = services["storage"]
        self.assertEqual(storage["environment"]["GANTRY_STORAGE_BACKEND"], "postgres")
        self.assertEqual(storage["environment"]["GANTRY_STORAGE_DSN_FILE"], "/run/secrets/postgres_dsn")
        self.assertEqual([secret["source"] for secret in storage["secrets"]], ["postgres_dsn"])
        self.assertEqual(storage["command"], ["storage"])
        self.assertIn("postgres", services)
        self.assertNotIn("postgres", self.config("hardware"))


class Kubernetes(unittest.TestCase):
    def render(self, folder):
        done = run("kubectl", "kustomize", f"k8s/{folder}")
        self.assertEqual(done.returncode, 0, done.stderr)
        return list(yaml.safe_load_all(done.stdout))

    def containers(self, folder):
        stateful = next(doc for doc in self.render(folder) if doc["kind"] == "StatefulSet")
        return {row["name"]: row for row in stateful["spec"]["template"]["spec"]["containers"]}

    def test_the_base_holds_six_guarded_containers(self):
        containers = self.containers("base")
        self.assertEqual(set(containers), SERVICES)
        for name, container in containers.items():
            self.assertEqual(container["command"], [name])
            self.assertFalse(container["securityContext"]["allowPrivilegeEscalation"])
            self.assertIn("livenessProbe", container)
            self.assertEqual({mount["mountPath"] for mount in container["volumeMounts"]}, {"/run/gantry", "/data"})

    def test_the_simulator_replaces_the_bridge_s_devices(self):
        bridge = self.containers("simulator")["rs485-bridge"]
        self.assertIn("gantry-sim", bridge["command"][-1])
        self.assertIn({"name": "GANTRY_RS485_BRIDGE_SOURCE", "value": "simulated"}, bridge["env"])

    def test_storage_goes_to_postgresql_by_a_secret_file(self):
        storage = self.containers("postgres")["storage"]
        self.assertIn({"name": "GANTRY_STORAGE_BACKEND", "value": "postgres"}, storage["env"])
        file = next(row["value"] for row in storage["env"] if row["name"] == "GANTRY_STORAGE_DSN_FILE")
        folder, mount = pathlib.PurePath(file).parent, storage["volumeMounts"]
        self.assertIn(str(folder), [row["mountPath"] for row in mount])
        self.assertLessEqual({"/run/gantry", "/data"}, {row["mountPath"] for row in mount})

    def test_the_service_finds_the_pods(self):
        docs = self.render("base")
        service = next(doc for doc in docs if doc["kind"] == "Service")
        stateful = next(doc for doc in docs if doc["kind"] == "StatefulSet")
        labels = stateful["spec"]["template"]["metadata"]["labels"]
        self.assertLessEqual(service["spec"]["selector"].items(), labels.items())


class Image(unittest.TestCase):
    def test_it_builds_with_what_the_scripts_install(self):
        dockerfile = (ROOT / "Dockerfile").read_text()
        script = (ROOT / "scripts/lib/common.sh").read_text()
        wanted = set(re.search(r"PACKAGES_RUN=\((.*?)\)", script, re.S).group(1).split()) - {"curl"}
        self.assertEqual(packages_of(dockerfile, "ninja-build"), wanted)

    def test_all_its_programs_are_installed(self):
        folder = next((ROOT / "build" / name for name in ("run", "test") if (ROOT / "build" / name / "build.ninja").exists()), None)
        if folder:
            regenerated = run("ninja", "-C", str(folder), "build.ninja")  # where a meson.build is newer than the folder
            self.assertEqual(regenerated.returncode, 0, regenerated.stdout)
            done = run("meson", "introspect", "--installed", str(folder))
            self.assertEqual(done.returncode, 0, done.stderr)
            installed = {pathlib.Path(path).name for path in json.loads(done.stdout).values()
                         if pathlib.Path(path).parent.name == "bin"}
        else:
            installed = set()
            for path in (*ROOT.glob("services/*/meson.build"), *ROOT.glob("tools/*/meson.build")):
                for name, rest in re.findall(r"executable\('([\w-]+)'(.*?)(?=\n\S|\Z)", path.read_text(), re.S):
                    installed |= {name} if "install: true" in rest else set()
        self.assertEqual(installed, SERVICES | {"gantry", "gantry-sim"})

    def test_it_does_not_run_as_root(self):
        users = re.findall(r"^USER (\S+)", (ROOT / "Dockerfile").read_text(), re.M)
        self.assertEqual(users, ["gantry"])

    def test_its_runtime_packages_exist_in_the_distribution(self):
        names = packages_of((ROOT / "Dockerfile").read_text(), "libzmq5")
        done = run("apt-cache", "policy", *sorted(names))
        missing = [name for name in names if not re.search(rf"^{re.escape(name)}:", done.stdout, re.M)]
        self.assertEqual(missing, [])


if __name__ == "__main__":
    unittest.main()
