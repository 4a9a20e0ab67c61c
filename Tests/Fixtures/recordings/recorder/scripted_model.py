"""A scripted model on loopback (OpenAI's chat/completions), so that a real OpenCode runs offline. Standard library only.

A script is a list of turns; each request that offers tools takes the next one:
  {"text": "..."}                                          an answer
  {"reasoning": "..."}                                     thinking before it
  {"tools": [{"name": "bash", "arguments": {...}}, ...]}   tool calls
  {"status": 429, "body": {...}, "headers": {...}}         an HTTP error
  {"delay": 2.0}                                           seconds of silence first
  {"cut": true}                                            the stream breaks off half way through the text
  {"error": {"message": "..."}}                            an error object in the stream, after a status of 200
  {"finish": "length"}                                     another finish reason
  {"usage": {...}}                                         other token counts (OpenAI's shape); null: none
  {"for": "alpha"}                                         only for a request in which the user said "alpha": subagents that work side by side
Beyond the last turn: {"repeat": true} on that turn gives it again, else the answer is "(script exhausted)".
A request for a session's title takes no turn; one for a compaction's summary does.
"""
import itertools
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TITLE = "Recorded session"
USAGE = {"prompt_tokens": 1200, "completion_tokens": 80, "total_tokens": 1280,
         "prompt_tokens_details": {"cached_tokens": 1000}, "completion_tokens_details": {"reasoning_tokens": 16}}
EXHAUSTED = {"text": "(script exhausted)"}


def opencode_config(port):
    """What OPENCODE_CONFIG_CONTENT says: the provider "mock" with a priced model, a cheaper one, and one without a price."""
    small = {"context": 32000, "output": 4096}
    return {
        "$schema": "https://opencode.ai/config.json",
        "provider": {"mock": {
            "npm": "@ai-sdk/openai-compatible", "name": "Mock",
            "options": {"baseURL": "http://127.0.0.1:%d/v1" % port, "apiKey": "none"},
            "models": {
                "m1": {"name": "Mock One", "reasoning": True, "tool_call": True, "limit": {"context": 128000, "output": 8192},
                       "cost": {"input": 3, "output": 15, "cache_read": 0.3, "cache_write": 3.75}},
                "m2": {"name": "Mock Two", "tool_call": True, "limit": small, "cost": {"input": 1, "output": 2}},
                "org/nested:free": {"name": "Nested name", "tool_call": True, "limit": small},
            }}},
        "model": "mock/m1", "small_model": "mock/m1", "autoupdate": False, "share": "disabled",
    }


def said_by_the_user(request):
    """The text of all user messages of a request, whether each is a string or a list of parts."""
    texts = []
    for message in request.get("messages", []):
        if message.get("role") == "user":
            content = message.get("content")
            texts += [content] if isinstance(content, str) else [part.get("text", "") for part in content or []]
    return "\n".join(texts)


def asks_for_a_title(request):
    """OpenCode's title agent is offered no tools, as is the one that summarizes at compaction."""
    instructions = "\n".join(str(message.get("content")) for message in request.get("messages", []) if message.get("role") == "system")
    return not request.get("tools") and "title" in instructions


class ScriptedModel:
    """Serves from creation to `close`. `requests` counts what it was asked, titles included."""

    def __init__(self):
        self.turns, self.requests, self.lock = [], 0, threading.Lock()
        model, call_numbers = self, itertools.count(100_000_000)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_GET(self):
                self.reply_json(200, {"object": "list", "data": [{"id": "m1", "object": "model"}]}, {})

            def do_POST(self):
                request = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)))
                self.stream(request, model.next_turn(request))

            def reply_json(self, status, value, headers):
                body = json.dumps(value).encode()
                self.send_response(status)
                for key, text in {**headers, "content-type": "application/json", "content-length": str(len(body))}.items():
                    self.send_header(key, text)
                self.end_headers()
                self.wfile.write(body)

            def stream(self, request, turn):
                time.sleep(turn.get("delay", 0))
                if "status" in turn:
                    return self.reply_json(turn["status"], turn.get("body", {"error": {"message": "scripted error"}}), turn.get("headers", {}))
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("connection", "close")
                self.end_headers()
                self.close_connection = True

                def chunk(delta, finish=None, **more):
                    choice = {"index": 0, "delta": delta, "finish_reason": finish}
                    value = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": request.get("model"), "choices": [choice], **more}
                    self.wfile.write(b"data: " + json.dumps(value).encode() + b"\n\n")
                    self.wfile.flush()

                try:
                    chunk({"role": "assistant", "content": ""})
                    if turn.get("reasoning"):
                        chunk({"reasoning_content": turn["reasoning"]})
                    text = turn.get("text", "")
                    if text:
                        chunk({"content": text[:len(text) // 2]})
                        if turn.get("cut"):
                            return self.connection.close()
                        chunk({"content": text[len(text) // 2:]})
                    for index, call in enumerate(turn.get("tools", [])):
                        function = {"name": call["name"], "arguments": json.dumps(call["arguments"])}
                        chunk({"tool_calls": [{"index": index, "id": "call_%d_%d" % (index, next(call_numbers)), "type": "function", "function": function}]})
                    if "error" in turn:
                        self.wfile.write(b"data: " + json.dumps({"error": turn["error"]}).encode() + b"\n\n")
                        return
                    usage = turn.get("usage", USAGE)
                    chunk({}, finish=turn.get("finish") or ("tool_calls" if turn.get("tools") else "stop"), **({"usage": usage} if usage else {}))
                    self.wfile.write(b"data: [DONE]\n\n")
                except OSError:
                    pass  # OpenCode was ended meanwhile.

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def play(self, turns):
        """Starts a script; the count of requests begins again."""
        with self.lock:
            self.turns, self.requests = list(turns), 0

    def next_turn(self, request):
        with self.lock:
            self.requests += 1
            if asks_for_a_title(request):
                return {"text": TITLE}
            said = said_by_the_user(request)
            named = [turn for turn in self.turns if "for" in turn and turn["for"] in said]
            fitting = named or [turn for turn in self.turns if "for" not in turn]
            if not fitting:
                return EXHAUSTED
            if not fitting[0].get("repeat"):
                self.turns.remove(fitting[0])
            return fitting[0]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
