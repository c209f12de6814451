"""Prints NTLM speed beside the peers, measured in the same run: programs take turns, the best of each counts."""
import os
import subprocess
import sys
import tempfile

TURNS = 3
GOALS = {"handshake": 3.0, "seal+unseal 64": 3.0, "seal 64": 3.0, "seal 16384": 1.5, "seal 65536": 1.5,
         "seal+unseal 16384": 1.5, "seal+unseal 65536": 1.5}


def configure(directory):
    files = {
        "users": ("EXAMPLE:alice:Password1!\n", 0o600),
        "sam": ("alice:EXAMPLE::7facdc498ed1680c4fd1448319a8c04f:::\n", 0o600),
    }
    for name, (text, mode) in files.items():
        path = os.path.join(directory, name)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
    return {
        "NTLM_USER_FILE": os.path.join(directory, "users"),
        "NETBIOS_COMPUTER_NAME": "SERVER",
        "NETBIOS_DOMAIN_NAME": "EXAMPLE",
    }


def opensspi_config(directory, name, store):
    path = os.path.join(directory, name)
    with open(path, "w") as file:
        file.write(f"[names]\ncomputer = SERVER\ndomain = EXAMPLE\n[accounts]\nstores = {store}\n")
    return path


def account_make(build, config):
    command = [os.path.join(build, "sspi"), "account", "add", "alice", "--domain", "EXAMPLE"]
    subprocess.run(command, input="Password1!\n", text=True, check=True, stdout=subprocess.DEVNULL,
                   env=dict(os.environ, OPENSSPI_CONFIG=config))


def measure(program, environment):
    run = subprocess.run([program], env=dict(os.environ, **environment), text=True, stdout=subprocess.PIPE, check=True)
    return {name: float(value) for name, value in (line.split("\t") for line in run.stdout.splitlines())}


def main():
    build = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as directory:
        environment = configure(directory)
        sqlite = opensspi_config(directory, "sqlite.conf", f"sqlite:{directory}/store/accounts.db")
        account_make(build, sqlite)
        programs = {
            "OpenSSPI": ("ntlm_opensspi", {"OPENSSPI_CONFIG": sqlite}),
            "WinPR": ("ntlm_winpr", {"WLOG_LEVEL": "OFF"}),
            "gss-ntlmssp": ("ntlm_gss", {}),
        }
        best = {}
        for _ in range(TURNS):
            for name, (program, extra) in programs.items():
                for workload, value in measure(os.path.join(build, "bench", program), dict(environment, **extra)).items():
                    key = (name, workload)
                    best[key] = min(value, best.get(key, value))
    print_table(best)


def print_table(best):
    workloads = [workload for name, workload in best if name == "OpenSSPI"]
    print(f"{'NTLM, client and server, 1 thread':34}{'OpenSSPI':>12}{'WinPR':>12}{'gss-ntlmssp':>13}{'x WinPR':>9}{'x gss':>8}  goal")
    for workload in workloads:
        ours = best["OpenSSPI", workload]
        if workload == "context bytes":
            print(f"{'memory per established context':34}{ours:>9.0f} B{'':>44}  {'met' if ours <= 4096 else 'MISSED'} (4096 B)")
            continue
        peers = [best.get((peer, workload)) for peer in ("WinPR", "gss-ntlmssp")]
        cells = "".join(f"{show(value):>{width}}" for value, width in zip([ours] + peers, (12, 12, 13)))
        ratios = "".join(f"{peer / ours:>{width}.2f}" if peer else f"{'-':>{width}}" for peer, width in zip(peers, (9, 8)))
        goal = GOALS.get(workload)
        verdict = "" if goal is None else f"{'met' if peers[0] and peers[0] / ours >= goal else 'MISSED'} ({goal}x WinPR)"
        size = workload.split()[-1]
        rate = f" {int(size) * 1e3 / ours:.0f} MB/s" if size.isdigit() and int(size) >= 1024 else ""
        print(f"{workload + rate:34}{cells}{ratios}  {verdict}")


def show(nanoseconds):
    if nanoseconds is None:
        return "-"
    return f"{nanoseconds:.0f} ns" if nanoseconds < 10000 else f"{nanoseconds / 1000:.1f} us"


main()
