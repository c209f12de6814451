"""Chromium without a window, driven over the two pipes of --remote-debugging-pipe (Chrome DevTools Protocol): nothing but Python is needed.

with Browser(directory, env, "server.example.test") as browser:
    browser.open("http://server.example.test:8080/")
    browser.text("user")

`env` is the whole environment: HOME, and the ticket cache in KRB5CCNAME. Names are found at 127.0.0.1, nothing else is reached."""
import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import time

ANSWER_SECONDS = 600


class Browser:
    def __init__(self, directory, env, *trusted):
        """`trusted` are the servers that get tickets without a question."""
        self.directory = pathlib.Path(directory)
        self.number, self.buffer, self.events = 0, b"", []
        self.credentials, self.asked = None, 0
        command = [program(), "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--no-first-run",
                   "--disable-dev-shm-usage", "--disable-extensions", "--disable-background-networking", "--disable-sync",
                   "--disable-component-update", "--password-store=basic", "--ignore-certificate-errors",
                   f"--user-data-dir={self.directory}/profile", f"--auth-server-allowlist={','.join(trusted)}",
                   "--host-resolver-rules=MAP * 127.0.0.1", "--proxy-server=direct://", "--window-size=1100,900", "about:blank"]
        # Local settings: GSSAPI may be loaded at once (else only in the run after a Negotiate header was seen), and the service's name is the URL's.
        profile = self.directory / "profile"
        profile.mkdir(exist_ok=True)
        (profile / "Local State").write_text(json.dumps({"net": {"received_http_auth_negotiate_headers": True},
                                                         "auth": {"disable_negotiate_cname_lookup": True}}), encoding="utf-8")
        theirs_in, self.out = os.pipe()
        self.into, theirs_out = os.pipe()

        def pipes():  # Chromium reads 3 and writes 4
            spare = os.dup(theirs_out)
            os.dup2(theirs_in, 3)
            os.dup2(spare, 4)

        with open(self.directory / "chromium.log", "wb") as log:
            self.process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(3, 4),
                                            preexec_fn=pipes, start_new_session=True)
        os.close(theirs_in)
        os.close(theirs_out)
        try:
            target = self.ask("Target.createTarget", url="about:blank")["targetId"]
            self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            self.ask("Page.enable")
            self.ask("Fetch.enable", handleAuthRequests=True)
        except BaseException:
            self.close()
            raise

    session = None

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.close()

    def close(self):
        try:
            self.ask("Browser.close")
        except (AssertionError, OSError):
            self.process.kill()
        try:
            self.process.wait(ANSWER_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.out)
        os.close(self.into)

    def message(self, until):
        while b"\0" not in self.buffer:
            ready = select.select([self.into], [], [], max(0, until - time.monotonic()))[0]
            more = os.read(self.into, 1 << 20) if ready else b""
            assert more, "no answer from Chromium: " + (self.directory / "chromium.log").read_text(errors="replace")[-2000:]
            self.buffer += more
        line, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(line)

    def send(self, method, **parameters):
        self.number += 1
        session = {"sessionId": self.session} if self.session else {}
        data = json.dumps({"id": self.number, "method": method, "params": parameters, **session}).encode() + b"\0"
        while data:
            data = data[os.write(self.out, data):]
        return self.number

    def ask(self, method, **parameters):
        number, until = self.send(method, **parameters), time.monotonic() + ANSWER_SECONDS
        while True:
            message = self.message(until)
            if message.get("id") == number:
                assert "error" not in message, (method, message["error"])
                return message["result"]
            self.event(message)

    def event(self, message):
        """Requests go on, and the dialog that asks for a name and a password gets them once."""
        method, parameters = message.get("method"), message.get("params", {})
        if method == "Fetch.requestPaused":
            self.send("Fetch.continueRequest", requestId=parameters["requestId"])
        elif method == "Fetch.authRequired":
            self.asked += 1
            typed = {"response": "CancelAuth"}
            if self.credentials is not None:
                typed = {"response": "ProvideCredentials", "username": self.credentials[0], "password": self.credentials[1]}
                self.credentials = None
            self.send("Fetch.continueWithAuth", requestId=parameters["requestId"], authChallengeResponse=typed)
        elif method is not None:
            self.events.append(method)

    def open(self, url, credentials=None):
        """`credentials` are what a user would type into the dialog."""
        self.credentials, self.asked, self.events = credentials, 0, []
        self.ask("Page.navigate", url=url)
        until = time.monotonic() + ANSWER_SECONDS
        while "Page.loadEventFired" not in self.events:
            self.event(self.message(until))

    def value(self, expression):
        return self.ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def text(self, name):
        return self.value(f"document.getElementById({json.dumps(name)})?.textContent")

    def screenshot(self, path, scheme):
        """A picture of the page in light or dark."""
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        picture = base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"])
        pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(path).write_bytes(picture)
        return picture


def program():
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        raise FileNotFoundError("chromium: not installed")
    return found
