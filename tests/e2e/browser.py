"""Debian's Chromium, headless, driven over its DevTools protocol: open a page, run a line in it, press a key, take a picture."""
import asyncio
import atexit
import base64
import json
import pathlib
import subprocess
import tempfile
import time

import websockets

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--window-size=1400,860",
         "--remote-debugging-port=0")


class Browser:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="gantry-chromium-")
        self.process = subprocess.Popen(["/usr/bin/chromium", *FLAGS, f"--user-data-dir={self.folder.name}", "about:blank"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        atexit.register(self.process.kill)
        self.loop = asyncio.new_event_loop()
        self.number = 0
        self.problems = []  # what the page wrote to its console as an error
        self.loop.run_until_complete(self._connect())

    async def _connect(self):
        port_file = pathlib.Path(self.folder.name) / "DevToolsActivePort"
        deadline = time.monotonic() + 60  # its first start on a machine reads 300 MB from the disk
        while not (port_file.exists() and port_file.read_text().count("\n") >= 1):
            if time.monotonic() > deadline:
                raise AssertionError("Chromium did not start")
            await asyncio.sleep(0.05)
        port, path = port_file.read_text().split("\n")[:2]
        self.socket = await websockets.connect(f"ws://127.0.0.1:{port}{path}", max_size=None)
        self.session = None
        target = await self._call("Target.createTarget", url="about:blank")
        attached = await self._call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            await self._call(f"{domain}.enable")

    async def _call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        await self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(await asyncio.wait_for(self.socket.recv(), 90))
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]
            self._listen(answer)

    def _listen(self, event):
        if event.get("method") == "Runtime.exceptionThrown":
            self.problems.append(event["params"]["exceptionDetails"].get("exception", {}).get("description", "exception"))
        if event.get("method") == "Log.entryAdded" and event["params"]["entry"]["level"] == "error":
            url = event["params"]["entry"].get("url", "")
            if not url.endswith("/favicon.ico"):  # Chromium asks for it behind answers that are no page
                self.problems.append(event["params"]["entry"]["text"] + " " + url)

    def call(self, method, **params):
        return self.loop.run_until_complete(self._call(method, **params))

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete'")

    def run(self, script):
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise AssertionError(result["exceptionDetails"])
        return result["result"].get("value")

    def until(self, script, seconds=30):
        seconds = max(seconds, 30)  # a browser on a loaded machine
        deadline = time.monotonic() + seconds
        while not (value := self.run(script)):
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s in the page: {script}")
            time.sleep(0.05)
        return value

    def mouse(self, kind, selector, right=0, down=0):
        """In the middle of what selector finds, or so many pixels beside it."""
        box = self.run(f"(() => {{ const found = document.querySelector({json.dumps(selector)});"
                       " found.scrollIntoView({ block: 'nearest' });"
                       " const b = found.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2] })()")
        self.call("Input.dispatchMouseEvent", type=kind, x=box[0] + right, y=box[1] + down, button="left", clickCount=1)

    def click(self, selector, seconds=10):
        """Until it has arrived there: what stands above may grow between the look and the press."""
        deadline = time.monotonic() + seconds
        arrived = False
        while not arrived:
            if time.monotonic() > deadline:
                raise AssertionError(f"no click arrives at {selector}")
            self.run("globalThis.arrived = false; document.addEventListener('click', (event) =>"
                     f" {{ arrived = event.target.closest({json.dumps(selector)}) !== null }}, {{ capture: true, once: true }})")
            self.mouse("mousePressed", selector)
            self.mouse("mouseReleased", selector)
            arrived = self.run("arrived")

    def key(self, name):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name)

    def enter(self):
        """Return, as it sends a form."""
        self.call("Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
        self.call("Input.dispatchKeyEvent", type="keyUp", key="Enter", code="Enter")

    def picture(self, path):
        data = self.call("Page.captureScreenshot", format="png")["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))

    def close(self):
        self.loop.run_until_complete(self.socket.close())
        self.loop.close()
        self.process.terminate()
        self.process.wait(10)
        try:
            self.folder.cleanup()
        except OSError:
            pass  # Chromium's helpers may still be writing
