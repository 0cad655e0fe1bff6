"""What stands in docs/api.md does what it says, and /docs shows the description without a network."""
import os
import re
import subprocess
import unittest

from browser import Browser
from suite import ROOT, Suite, until

# Loses one map_update where window.lose says so.
LOSER = """window.patches = window.lost = 0; window.lose = false
const Native = WebSocket
window.WebSocket = class extends Native {
  set onmessage(handler) {
    super.onmessage = (event) => {
      if (JSON.parse(event.data).type === 'map_update') {
        window.patches++
        if (window.lose) { window.lose = false; window.lost++; return }
      }
      handler(event)
    }
  }
}"""
SINCE = "performance.getEntriesByType('resource').filter((e) => e.name.includes('/map/tiles?') && e.name.includes('since=')).length"


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = Suite(environment={"GANTRY_API_GATEWAY_RATE_PER_MIN": "100000", "GANTRY_API_GATEWAY_ROBOT_PER_MIN": "100000"})
        cls.suite.ready()
        cls.suite.login()
        until("a position", cls.suite.position, 15)
        cls.browser = Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.suite.close()

    def test_the_ten_lines_run_from_top_to_bottom(self):
        text = (ROOT / "docs/api.md").read_text(encoding="utf-8")
        lines = re.search(r"```sh\n(.*?)```", text, re.S).group(1)
        self.assertEqual(re.findall(r"^# (\d+)\.", lines, re.M), [str(i) for i in range(1, 11)])
        environment = {**os.environ, "BASE": f"http://{self.suite.address}", "PASSWORD": self.suite.password}

        done = subprocess.run(["bash", "-euo", "pipefail", "-c", lines], env=environment, capture_output=True, text=True, timeout=60)

        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r'"confidence"')
        self.assertRegex(done.stdout, r"(?m)^map_[0-9a-f]{8}$")
        self.assertRegex(done.stdout, r"(?m)^304$")
        self.assertRegex(done.stdout, r'"code": "VALIDATION_ERROR"')
        self.assertRegex(done.stdout, r'"field": "limit"')

    def drive(self):
        if self.suite.jog("forward", 0.25).status == 409:
            self.suite.reset_stop()
        return True

    def test_a_page_that_missed_a_patch_fetches_what_changed(self):
        browser = self.browser
        browser.call("Page.addScriptToEvaluateOnNewDocument", source=LOSER)
        browser.open(f"http://{self.suite.address}/health/fast")
        browser.run(f"sessionStorage.setItem('gantry-token', '{self.suite.token}')")
        self.assertEqual(self.suite.post("/api/v1/map/start-mapping", {"map_name": "gap"}).status, 201)
        browser.open(f"http://{self.suite.address}/")
        until("patches", lambda: self.drive() and browser.run("window.patches") > 5, 60)

        browser.run("window.lose = true")
        until("a patch that is lost", lambda: self.drive() and browser.run("window.lost") == 1, 30)
        until("the tiles since then", lambda: self.drive() and browser.run(SINCE) > 0, 30)
        fetched, told = browser.run(SINCE), browser.run("window.patches")
        until("more patches", lambda: self.drive() and browser.run("window.patches") > told + 8, 60)

        self.assertLessEqual(browser.run(SINCE) - fetched, 1, "each patch fits the one before again")
        self.assertEqual(browser.problems, [])

    def test_the_documentation_opens_in_a_browser(self):
        browser = self.browser
        browser.problems.clear()
        browser.open(f"http://{self.suite.address}/redoc#/map/map_tiles")
        until("what it says", lambda: "GMT1" in (browser.run("document.querySelector('#operations-map-map_tiles')?.textContent") or ""), 60)
        if "GANTRY_E2E_PICTURE" in os.environ:
            browser.picture(os.environ["GANTRY_E2E_PICTURE"])

        self.assertEqual(browser.run("location.pathname"), "/docs")
        self.assertEqual(browser.run("performance.getEntriesByType('resource').filter((e) => !e.name.startsWith(location.origin)"
                                     " && !e.name.startsWith('data:')).length"), 0)
        self.assertEqual(browser.problems, [])


if __name__ == "__main__":
    unittest.main()
