"""A local Azure for the scripts in this folder: builds and starts the sandbox, and says how to reach it."""

import contextlib
import os
import platform
import re
import shutil
import ssl
import subprocess
import threading
import urllib.request
from pathlib import Path

from cache import Failed, output, run

ROOT = Path(__file__).resolve().parent.parent
PROVIDER = "terraform-provider-fkaks"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
TENANT = "11111111-1111-1111-1111-111111111111"
CLIENT = "22222222-2222-2222-2222-222222222222"
SECRET = "sandbox-secret"  # The sandbox takes any.


class Sandbox:
    """A running sandbox: its address (https://localhost:PORT) and the certificate authority that signs for it."""

    def __init__(self, port, authority):
        self.host = f"localhost:{port}"
        self.url = f"https://{self.host}"
        self.authority = authority

    def control(self, method, path):
        """A request to the remote control: what someone else does in this Azure, behind Terraform's back."""
        context = ssl.create_default_context(cafile=self.authority)
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/_sandbox/{path}", method=method), context=context):
            pass

    def provider_environment(self):
        """The variables with which the provider reaches it as a service principal."""
        return {
            "ARM_METADATA_HOSTNAME": self.host,
            "ARM_SUBSCRIPTION_ID": SUBSCRIPTION,
            "ARM_TENANT_ID": TENANT,
            "ARM_CLIENT_ID": CLIENT,
            "ARM_CLIENT_SECRET": SECRET,
            "SSL_CERT_FILE": str(self.authority),
        }


def build(*options):
    """Builds the workspace and returns the folder with the programs."""
    run(["cargo", "build", "--locked", "--workspace", *options], cwd=ROOT)
    return target() / ("release" if "--release" in options else "debug")


def build_as_tested():
    """Builds the sandbox as its tests have it, and returns the folder with the program.

    The tests need more features of some libraries: a build without them would compile nearly everything again.
    """
    run(["cargo", "test", "--no-run", "--locked", "--workspace", "--test", "contract"], cwd=ROOT)
    return target() / "debug"


def mirror(binary, folder):
    """Lays a provider binary out as both commands expect it on disk, and returns the paths that were made.

    A provider's address without a host means another host to each command, so that it is put under both.
    """
    metadata = output(["cargo", "metadata", "--no-deps", "--offline", "--format-version", "1"], cwd=ROOT)
    version = re.search(rf'"name":"{PROVIDER}","version":"([^"]+)"', metadata)[1]
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    made = []
    for host in ("registry.opentofu.org", "registry.terraform.io"):
        place = folder / host / "fkaks" / "fkaks" / version / f"{platform.system().lower()}_{machine}"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        made.append(place / f"{PROVIDER}_v{version}")
        shutil.copy2(binary, made[-1])
    return version, made


def command_environment(sandbox, programs, folder):
    """The environment in which OpenTofu or Terraform, after `init`, uses the provider of `programs` on this sandbox.

    Writes the command's configuration into `folder`. No ARM_* variable of the caller gets through: a demonstration
    never reaches someone's Azure.
    """
    mirror(programs / PROVIDER, folder / "mirror")
    configuration = folder / "cli.tfrc"
    text = f'provider_installation {{\n  filesystem_mirror {{\n    path = "{folder}/mirror"\n  }}\n}}\n'
    configuration.write_text(text, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ARM_", "AZURE_", "TF_"))}
    kept.update(TF_CLI_CONFIG_FILE=str(configuration), CHECKPOINT_DISABLE="1", TF_IN_AUTOMATION="1")
    return {**kept, **sandbox.provider_environment()}


def target():
    """Cargo's target folder."""
    metadata = output(["cargo", "metadata", "--no-deps", "--offline", "--format-version", "1"], cwd=ROOT)
    return Path(re.search(r'"target_directory":"([^"]+)"', metadata)[1])


@contextlib.contextmanager
def sandbox(programs, folder, *options):
    """Starts the sandbox of the folder `programs` on a free port, its certificates in `folder`, and ends it."""
    command = [programs / "fkaks-sandbox", "serve", "--listen", "127.0.0.1:0", "--tls", folder]
    command += ["--exit-with-stdin", "--tenant", TENANT, "--subscription", SUBSCRIPTION, *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            addresses = (re.search(r"https://[^\s\"]*:(\d+)", line) for line in process.stdout)
            found = next((address for address in addresses if address), None)
            if not found:
                raise Failed("the sandbox ended before it told its address")
            threading.Thread(target=process.stdout.read, daemon=True).start()  # A full pipe would stop it.
            yield Sandbox(found[1], folder / "ca.pem")
        finally:
            process.terminate()
