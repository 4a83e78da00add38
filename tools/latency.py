#!/usr/bin/env python3
"""From queued on one side to shown on the other: two real clients and a server on loopback.

    python3 tools/latency.py target/release/undertone 50

Both sides run `watch`; each message is sent through Ada's. The clock starts when Ada's watch prints
the message as queued and stops when Ben's prints it as arrived: sealing, two commits to disk, the
server's tick with its sync, the push, the fetch and the decryption lie between.
"""
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path


def main(binary, count):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        passphrase = folder / "passphrase"
        passphrase.write_text("measured\n")
        serve = [binary, "serve", "--data", folder / "server", "--listen", "127.0.0.1:0"]
        server = subprocess.Popen(serve, stdout=subprocess.PIPE, text=True)
        address = server.stdout.readline().split()[1]

        def command(profile, *words):
            start = [binary, "--profile", folder / profile, "--passphrase-file", passphrase]
            return [*start, "--json", *words]

        def run(profile, *words):
            done = subprocess.run(command(profile, *words), capture_output=True, text=True)
            if done.returncode != 0:
                sys.exit(f"{profile} {words[0]}: {done.stdout}{done.stderr}")
            return json.loads(done.stdout)

        def watch(profile, seen):
            watching = subprocess.Popen(command(profile, "watch"), stdout=subprocess.PIPE, text=True)
            first = threading.Event()

            def read():
                for line in watching.stdout:
                    seen.append((time.monotonic(), json.loads(line)))
                    first.set()

            threading.Thread(target=read, daemon=True).start()
            first.wait()
            return watching

        run("ada", "init", "--name", "Ada", "--server", address)
        run("ben", "init", "--name", "Ben", "--server", address)
        ada, ben = [], []
        running = [server, watch("ada", ada)]
        run("ben", "accept", run("ada", "link")["link"], "--timeout", "60")
        running.append(watch("ben", ben))
        for number in range(count):
            run("ada", "send", "Ben", f"message {number}")
        run("ben", "sync")
        report(ada, ben)
        for process in running:
            process.terminate()
            process.wait()


def report(ada, ben):
    queued = times(ada, lambda event: event.get("state") == "queued")
    shown = times(ben, lambda event: event["event"] == "message")
    took = sorted(1000 * (shown[message] - queued[message]) for message in queued if message in shown)
    p50, p90 = statistics.median(took), took[int(0.9 * len(took))]
    print(f"{len(took)} messages, queued to shown: p50 {p50:.1f} ms, p90 {p90:.1f} ms, "
          f"max {took[-1]:.1f} ms (limit: p50 40 ms, ratio {p50 / 40:.2f})")


def times(seen, wanted):
    return {event["message"]: at for at, event in seen if "message" in event and wanted(event)}


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]))
