"""A JupyterLab of its own with one notebook in it, and a browser that looks at it: what is used as people use it."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import nbformat
from playwright.sync_api import Page, sync_playwright

from lca_core.errors import InputError
from lca_core.paths import REPOSITORY

PATIENCE = 600_000  # ms: everything is slow on a busy core
READY = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
RUN_ALL = "jupyterapp.commands.execute('notebook:run-all-cells')"
_PLACES = ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR",
           "IPYTHONDIR")  # fmt: skip
_SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # cells out of sight are there all the same
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


def browser_path() -> str:
    """Where chromium is; InputError where there is none."""
    found = shutil.which("chromium")
    if found is None:
        raise InputError("chromium is not there; on Debian and Ubuntu: apt-get install chromium")
    return found


def notebook_of(code: Sequence[str]) -> nbformat.NotebookNode:
    """A notebook of these cells, which asks nobody for a kernel."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nbformat.v4.new_code_cell(source) for source in code]
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


@contextmanager
def lab(notebook: nbformat.NotebookNode, home: Path) -> Iterator[str]:
    """Yield the address of a notebook alone in a JupyterLab, which ends with the block; home: folder for all files."""
    files = home / "files"
    files.mkdir()
    nbformat.write(notebook, files / "notebook.ipynb")
    for place, settings in _SETTINGS.items():
        path = home / "JUPYTERLAB_SETTINGS_DIR" / "@jupyterlab" / f"{place}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(settings))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    environment = os.environ | {name: str(home / name) for name in _PLACES} | {"PYTHONPATH": str(REPOSITORY)}
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
        f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={files}",
        "--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly", "--ServerApp.port_retries=0",
    ]  # fmt: skip
    with open(home / "log", "w") as log, subprocess.Popen(command, stdout=log, stderr=log, env=environment) as server:
        try:
            _answers(f"http://127.0.0.1:{port}/api?token={token}", server)
            yield f"http://127.0.0.1:{port}/doc/tree/notebook.ipynb?token={token}"
        finally:
            server.terminate()  # it ends its kernels
            try:
                server.wait(60)
            except subprocess.TimeoutExpired:
                server.kill()


def _answers(address: str, server: subprocess.Popen) -> None:
    for _ in range(PATIENCE // 500):
        if server.poll() is not None:
            raise InputError(f"JupyterLab ended at once with code {server.returncode}; run it alone: jupyter lab")
        try:
            with urllib.request.urlopen(address, timeout=60):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.5)
    raise InputError("JupyterLab did not answer within ten minutes; run it alone: jupyter lab")


@contextmanager
def looked_at(address: str, width: int = 1280, height: int = 1000) -> Iterator[tuple[Page, list[str]]]:
    """Yield (the notebook at this address in a browser, its kernel ready; what was asked for elsewhere)."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox", "--disable-gpu"])
        page, elsewhere = browser.new_context(viewport={"width": width, "height": height}).new_page(), []
        page.set_default_timeout(PATIENCE)
        own = ("http://127.0.0.1:", "data:", "blob:")
        page.on("request", lambda request: request.url.startswith(own) or elsewhere.append(request.url))
        page.goto(address)
        page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        page.wait_for_function(READY)
        yield page, elsewhere
        browser.close()
