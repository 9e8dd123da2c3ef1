"""Answers with what it was given, in the manner that `mode` asks for."""

import json
import sys
import time
import urllib.request
from pathlib import Path


def main():
    given = json.load(sys.stdin)
    args, connection = given["args"], given["server_connection"]
    mode = args.get("mode", "echo")
    if mode == "fail":
        return {"error": "it went wrong"}
    if mode == "ask":
        return {"output": ask(connection, args["query"], args.get("cookie"))}
    if mode == "count":
        count(args)
    return {"output": {"args": args, "connection": sorted(connection)}}


def ask(connection, query, cookie):
    """Return what Stash answers to the session, or to another one."""
    session = connection["SessionCookie"]
    value = session["Value"] if cookie is None else cookie
    request = urllib.request.Request(
        f"http://127.0.0.1:{connection['Port']}/graphql",
        json.dumps({"query": query}).encode(),
        {"Content-Type": "application/json", "Cookie": f"{session['Name']}={value}"},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return {"status": error.code}


def count(args):
    """Go on until killed; a file tells that it has begun."""
    sys.stderr.write("\x01i\x02counting\n\x01p\x020.25\n")
    sys.stderr.flush()
    if "mark" in args:
        Path(args["mark"]).touch()
    while True:
        time.sleep(0.05)


if __name__ == "__main__":
    json.dump(main(), sys.stdout)
