#!/usr/bin/python3
"""A stand-in ClearML API server, for tests and the demo. Standard library only.

In a test, in the same process:

    with ClearMLServer(edition="enterprise") as server:          # any free port of 127.0.0.1
        server.url                                               # http://127.0.0.1:PORT
        server.state.set_vaults(["agent.debug: true"])           # see clearml_state.State
        server.fail("page", endpoint="users.get_vaults", times=2, status=503,
                    headers={"Retry-After": "1"})                # see clearml_failures.FAILURES
        server.clear_failures()
        server.close_door(); server.open_door()                  # connections are refused, or not
        server.wait_for("users.get_vaults", 3)                   # until the third such request
        server.state.work.add_queue("gpu")                       # see clearml_work.Work
        server.requests("auth.login")[0].header("Authorization")
        server.count("auth.login"); server.clear_requests()

The default user's key pair is ACCESS_KEY, SECRET_KEY. Options: port, edition ("enterprise": feature
set "advanced" with vaults; "open": "basic", users.get_vaults is 404), api_version, prefix ("/api":
the API lives there, anything else is answered by a web page, as the web server does), tls (paths of
certificate and key), state.

As a program:

    clearml_server.py [--port P] [--edition E] [--api-version V] [--prefix /api] [--vaults FILE.json]
                      [--port-file F] [--tls CERT KEY]

prints its URL as the first line and serves until SIGTERM or SIGINT. FILE.json is a list of vaults,
or an object {company name: list}. The port file holds the port in decimal, written once it listens.

While it runs, POST a JSON object to URL/_control; each member is one order, obeyed in turn:

    curl -d '{"set_vaults": ["agent.debug: true"]}'  URL/_control
    curl -d '{"fail": {"name": "hang", "endpoint": "auth.login", "times": 1, "seconds": 5}}' ...
    curl -d '{"clear_failures": {}, "requests": "users.get_vaults", "count": null}' ...

The orders are in the table ORDERS of clearml_control: set_vaults, add_vault, fail, clear_failures,
failures, requests, count, clear_requests, add_company, add_user, add_credentials,
revoke_credentials, reinstate_credentials, leave_company, rejoin_company, add_queue, add_task, tasks,
make_token, invalidate_tokens, set, state. The answer is an object with a member for each; 400 and
{"error": text} if one was wrong. GET URL/_control is the order "state". The control path needs no
authentication, is not logged and never fails.
"""

import argparse
import contextlib
import json
import os
import signal
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import clearml_api
import clearml_control
from clearml_failures import FAILURES, Rules, Wire
from clearml_message import Answer, Request
from clearml_state import ACCESS_KEY, COMPANY_ID, SECRET_KEY, USER_ID, State

__all__ = ["ClearMLServer", "State", "ACCESS_KEY", "SECRET_KEY", "COMPANY_ID", "USER_ID", "main"]

CONTROL = "/_control"
WEB_PAGE = b"<!DOCTYPE html><html><head><title>ClearML</title></head><body></body></html>"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "HEAD", "OPTIONS")


class Handler(BaseHTTPRequestHandler):
    """Reads one request, hands it to ClearMLServer.serve, closes."""

    protocol_version = "HTTP/1.1"
    timeout = 30             # for a client that says nothing

    def exchange(self):
        """Serve the request that has been parsed."""
        self.close_connection = True
        body = self._read_body()
        request = Request(self.command, self.path, self.headers.items(), body,
                          self.client_address[0], time.time())
        self.server.stand_in.serve(request, self.connection)

    def _read_body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return b"".join(iter(self._read_chunk, b""))
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _read_chunk(self):
        chunk = self.rfile.read(int(self.rfile.readline().partition(b";")[0], 16))
        self.rfile.readline()
        return chunk

    def log_message(self, *args):
        """Say nothing: the log of requests is in the server."""


for _method in METHODS:
    setattr(Handler, f"do_{_method}", Handler.exchange)


class Listener(ThreadingHTTPServer):
    """The listening socket; a thread for each connection, none of which is waited for."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port, stand_in, tls):
        super().__init__(("127.0.0.1", port), Handler)
        self.stand_in, self.tls = stand_in, tls

    def finish_request(self, request, client_address):
        """As the base class, in TLS if so configured; the handshake is in the connection's thread."""
        if self.tls is None:
            return super().finish_request(request, client_address)
        request.settimeout(Handler.timeout)
        with self.tls.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def shutdown_request(self, request):
        """Only close: a shutdown before would turn a failure's reset into an orderly end."""
        self.close_request(request)

    def handle_error(self, request, client_address):
        """A client that goes away is none; anything else is a bug of the stand-in, and shown."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class ClearMLServer:
    """The stand-in server: see the module's docstring. Serves from construction to stop()."""

    def __init__(self, port=0, edition="enterprise", api_version="2.31", prefix="", tls=None, state=None):
        self.state = state or State(edition, api_version)
        self.prefix = prefix.rstrip("/")
        self.failures = Rules()
        self.stopping = threading.Event()
        self._requests = []
        self._arrival = threading.Condition()
        self._tls = _tls_context(tls)
        self.port = port
        self.open_door()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}{self.prefix}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Stop serving; connections that hang are closed."""
        self.stopping.set()
        self.close_door()

    def open_door(self):
        """Listen, on the port as before; done by the constructor."""
        self._listener = Listener(self.port, self, self._tls)
        self.port = self._listener.server_address[1]
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close_door(self):
        """Listen no more: connections are refused. Those that are open go on."""
        if self._listener is not None:
            self._listener.shutdown()
            self._listener.server_close()
            self._thread.join()
            self._listener = None

    def use_certificate(self, cert, key):
        """From the next connection on show this certificate (paths); for who serves TLS."""
        self._tls = self._listener.tls = _tls_context((cert, key))

    # -- failures and the log -------------------------------------------------------------------

    def fail(self, name, endpoint=None, times=None, after=0, **options):
        """Inject the failure FAILURES[name]; returns its id.

        endpoint  only requests for it, such as "auth.login"; None: every request
        times     so many requests; None: until cleared
        after     so many matching requests pass first
        """
        return self.failures.add(name, endpoint, times, after, **options)

    def clear_failures(self, endpoint=None, id=None):
        """End all failures, those of one endpoint, or one by id."""
        self.failures.clear(endpoint, id)

    def requests(self, endpoint=None):
        """The requests so far (clearml_message.Request), of one endpoint or all, oldest first."""
        with self._arrival:
            return [each for each in self._requests if endpoint in (None, each.endpoint)]

    def count(self, endpoint=None):
        """How many requests so far."""
        return len(self.requests(endpoint))

    def counts(self):
        """How many requests so far, by endpoint."""
        names = [each.endpoint for each in self.requests()]
        return {name: names.count(name) for name in sorted(set(names))}

    def clear_requests(self):
        """Forget the requests so far."""
        with self._arrival:
            self._requests.clear()

    def wait_for(self, endpoint, count=1, timeout=10.0):
        """Wait until so many requests for an endpoint have come; AssertionError when they do not."""
        with self._arrival:
            enough = self._arrival.wait_for(lambda: self.count(endpoint) >= count, timeout)
        assert enough, f"{self.count(endpoint)} of {count} requests for {endpoint} in {timeout} s"

    # -- serving --------------------------------------------------------------------------------

    def serve(self, request, connection):
        """Answer one request on its connection, or fail as told."""
        wire = Wire(self.state, request, connection, self.stopping)
        if request.path == CONTROL:
            return wire.reply(clearml_control.answer(self, request))
        inside = self._strip_prefix(request)
        if inside:
            request.endpoint = clearml_api.endpoint_name(request.path)
        self._log(request)
        rule = self.failures.take(request.endpoint)
        if rule is not None:
            FAILURES[rule.name](wire, **rule.options)
        elif inside:
            wire.reply(wire.answer())
        else:
            wire.reply(Answer(200, WEB_PAGE, "text/html"))

    def _strip_prefix(self, request):
        """Take the prefix off the target; False if it is not there."""
        if not self.prefix:
            return True
        inside = request.target.startswith(self.prefix + "/")
        if inside:
            request.target = request.target[len(self.prefix):]
        return inside

    def _log(self, request):
        with self._arrival:
            self._requests.append(request)
            self._arrival.notify_all()


def _tls_context(tls):
    if tls is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*tls)
    return context


# -- the program --------------------------------------------------------------------------------

def _arguments(argv):
    parser = argparse.ArgumentParser(description="A stand-in ClearML API server.",
                                     epilog="The control path is described in the module's docstring.")
    parser.add_argument("--port", type=int, default=0, help="0 (default): any free port")
    parser.add_argument("--edition", choices=("enterprise", "open"), default="enterprise")
    parser.add_argument("--api-version", default="2.31")
    parser.add_argument("--prefix", default="", help="path the API lives under, such as /api")
    parser.add_argument("--vaults", metavar="FILE.json", help="vaults to start with")
    parser.add_argument("--port-file", metavar="F", help="write the port there")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"), help="serve https")
    return parser.parse_args(argv)


def _load_vaults(state, path):
    """Vaults from a file: a list for the first company, or an object of lists by company name."""
    with open(path, encoding="utf-8") as file:
        vaults = json.load(file)
    if isinstance(vaults, list):
        vaults = {None: vaults}
    for company, items in vaults.items():
        if company is not None and company not in {each.name for each in state.companies.values()}:
            state.add_company(company)
        state.set_vaults(items, company)


def _write_port(path, port):
    """In one step: whoever sees the file sees the port."""
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "w", encoding="ascii") as file:
        file.write(f"{port}\n")
    os.replace(temporary, path)


def main(argv=None):
    """Serve until SIGTERM or SIGINT."""
    options = _arguments(argv)
    state = State(options.edition, options.api_version)
    if options.vaults:
        _load_vaults(state, options.vaults)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with ClearMLServer(options.port, prefix=options.prefix, tls=options.tls, state=state) as server:
        if options.port_file:
            _write_port(options.port_file, server.port)
        with contextlib.suppress(BrokenPipeError):
            print(server.url, flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
