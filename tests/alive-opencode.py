"""The real program writes while we read: `opencode serve` with a scripted model, and refresh after refresh beside it.

usage: alive-opencode.py OPENCODE LOGICOMA [REFRESHES]

A model that streams text, reasoning and shell calls is served on a port of this machine; two clients keep the program at work, so
that it inserts and updates throughout. Every refresh must see a committed state that is consistent across tables, and never one
older than the last. In the end the store is what the database says, row for row, and the program never found its database locked.
Prints its counts; exits 1 at the first thing that does not hold, and says so where the program does not run at all.
"""

import atexit
import http.server
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

program, logicoma = sys.argv[1], sys.argv[2]
refreshes = int(sys.argv[3]) if len(sys.argv) > 3 else 200
work = tempfile.TemporaryDirectory(prefix="alive-", ignore_cleanup_errors=True)
folder = pathlib.Path(work.name)
project = folder / "project"
project.mkdir()
database = folder / "opencode.db"
stop = threading.Event()
seen = {"requests": 0, "prompts": 0, "failed": 0}


class Model(http.server.BaseHTTPRequestHandler):
    """Speaks what OpenAI's interface speaks, in pieces, with a shell call in every second answer."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        seen["requests"] += 1
        number = seen["requests"]
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        last = asked["messages"][-1]["role"]
        calls = bool(asked.get("tools")) and last == "user" and number % 2 == 0
        deltas = [{"role": "assistant", "content": f"Answer {number}: "}]
        deltas += [{"content": f"piece {piece} of the answer, " * 4} for piece in range(8)]
        if calls:
            arguments = json.dumps({"command": f"echo {number}", "description": "says a number"})
            call = {"index": 0, "id": f"call_{number}", "type": "function", "function": {"name": "bash", "arguments": arguments}}
            deltas.append({"tool_calls": [call]})
        usage = {"prompt_tokens": 100 + number % 7, "completion_tokens": 20 + number % 5, "total_tokens": 120 + number % 7 + number % 5}
        try:
            for delta in deltas:
                self.chunk({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}, number)
                time.sleep(0.01)
            self.chunk({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls" if calls else "stop"}], "usage": usage}, number)
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            pass
        self.close_connection = True

    def chunk(self, body, number):
        body = {"id": f"chat_{number}", "object": "chat.completion.chunk", "created": 1, "model": "scripted", **body}
        self.wfile.write(b"data: " + json.dumps(body).encode() + b"\n\n")
        self.wfile.flush()


def fail(text):
    log = (folder / "serve.log").read_text(errors="replace") if (folder / "serve.log").exists() else ""
    sys.exit(f"{log[-2000:]}\n{text}")


def skip(text):
    """Nothing can be said of a program that does not run on this machine."""
    print((folder / "serve.log").read_text(errors="replace")[-2000:])
    print(f"skipped: {text}")
    sys.exit(0)


def start():
    """The scripted model and the program; gives the program and its address."""
    model = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=model.serve_forever, daemon=True).start()
    price = {"input": 3, "output": 15, "cache_read": 0.3, "cache_write": 3.75}
    config = {
        "$schema": "https://opencode.ai/config.json",
        "model": "scripted/scripted",
        "small_model": "scripted/scripted",
        "share": "disabled",
        "permission": {"bash": "allow"},
        "provider": {
            "scripted": {
                "npm": "@ai-sdk/openai-compatible",
                "name": "Scripted",
                "options": {"baseURL": f"http://127.0.0.1:{model.server_port}/v1", "apiKey": "none"},
                "models": {"scripted": {"name": "Scripted", "tool_call": True, "cost": price, "limit": {"context": 100000, "output": 4096}}},
            }
        },
    }
    (project / "opencode.json").write_text(json.dumps(config))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "OPENCODE_DB": str(database),
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
    }
    log = open(folder / "serve.log", "w")
    serve = subprocess.Popen([program, "serve", "--port", "0", "--print-logs"], cwd=project, env=environment, stdout=log, stderr=log)
    for _ in range(1200):
        time.sleep(0.1)
        text = (folder / "serve.log").read_text(errors="replace")
        at = text.find("http://127.0.0.1:")
        if at >= 0 and "\n" in text[at:]:
            return serve, text[at:].split()[0].rstrip("/")
        if serve.poll() is not None:
            break
    log.flush()
    skip("the program does not serve here")


def call(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.loads(answer.read())


def keep_busy(url):
    """One conversation after another, until told to stop."""
    while not stop.is_set():
        try:
            session = call(f"{url}/session", {})["id"]
            for _ in range(4):
                if stop.is_set():
                    return
                call(f"{url}/session/{session}/message", {"parts": [{"type": "text", "text": "Go on."}]})
                seen["prompts"] += 1
        except OSError as error:
            if not stop.is_set():
                seen["failed"] += 1
                seen["error"] = str(error)


def ours(*args):
    command = [logicoma, "--store", str(folder / "store"), "--db", str(database), "--home", str(folder), "--timezone", "UTC", "--quiet"]
    run = subprocess.run(command + list(args), capture_output=True, text=True)
    if run.returncode:
        fail(f"logicoma {args}: exit {run.returncode}: {run.stderr}")
    return run.stdout


CHECK = """select
    (select count(*) from raw_session) as sessions, (select count(*) from raw_message) as messages, (select count(*) from raw_part) as parts,
    (select count(*) from raw_part where message_id not in (select id from raw_message)) as parts_alone,
    (select count(*) from raw_message where session_id not in (select id from raw_session)) as messages_alone,
    (select count(*) from raw_session where last_seen_at is not null) as gone,
    (select coalesce(max(abs(session.cost - coalesce(steps.cost, 0))), 0) from raw_session as session left join (
        select session_id, sum(cost) as cost from raw_part where type = 'step-finish' group by session_id) as steps
        on steps.session_id = session.id) as cost_apart"""


def main():
    serve, url = start()
    atexit.register(serve.kill)
    writers = [threading.Thread(target=keep_busy, args=(url,), daemon=True) for _ in range(2)]
    for writer in writers:
        writer.start()
    while not (database.exists() and seen["prompts"]):
        time.sleep(0.1)
        if serve.poll() is not None or seen["failed"]:
            skip(f"the program does not answer: {seen}")
    last, advanced = (0, 0, 0), 0
    for refresh in range(refreshes):
        ours("extract", "--no-content")
        found = json.loads(ours("--no-extract", "query", "-c", CHECK, "--json"))[0]
        state = (found["sessions"], found["messages"], found["parts"])
        for what in ("parts_alone", "messages_alone", "gone"):
            if found[what]:
                fail(f"refresh {refresh}: {what} is {found[what]}")
        if found["cost_apart"] > 1e-9:
            fail(f"refresh {refresh}: a session's cost is {found['cost_apart']} apart from that of its steps")
        if any(now < before for now, before in zip(state, last)):
            fail(f"refresh {refresh}: {state} after {last}")
        advanced += state != last
        last = state
    stop.set()
    for writer in writers:
        writer.join(120)
    if seen["failed"]:
        fail(f"the program failed to answer: {seen}")
    # As by a crash: what is committed lies in the write-ahead log.
    serve.kill()
    serve.wait()
    ours("extract", "--no-content")
    source = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    for table, column in (("session", "time_updated"), ("message", "time_updated"), ("part", "time_updated")):
        theirs = source.execute(f"select id, {column} from {table} order by id").fetchall()
        own = json.loads(ours("--no-extract", "query", "-c", f"select id, {column} from raw_{table} order by id", "--json"))
        if [list(row) for row in theirs] != [list(row.values()) for row in own]:
            fail(f"{table}: the store is not what the database says in the end")
    source.close()
    log = (folder / "serve.log").read_text(errors="replace").lower()
    locked = sum(log.count(word) for word in ("database is locked", "sqlite_busy"))
    if locked:
        fail(f"the program found its database locked {locked} times")
    print(
        f"{refreshes} refreshes beside the real program, {advanced} of new states up to {last[0]} sessions, {last[1]} messages, "
        f"{last[2]} parts; {seen['prompts']} prompts, {seen['requests']} answers of the model, never locked"
    )


main()
