"""A TCP proxy between a program and a server: what is between two machines may fall silent, or lose an answer."""

import select
import socket
import threading


class Proxy:
    """Forwards to the port `to` of this machine.

    silence(): nothing comes through any more, and nobody is told; heal(): all that waited is lost, and new
    connections are as good as ever. cut_answer_to: the first answer after a request with these bytes is lost,
    connection and all."""

    def __init__(self, to, cut_answer_to=None):
        self.to, self.cut_answer_to, self.cuts = to, cut_answer_to, 0
        self.silent = threading.Event()
        self.over = threading.Event()
        self.pairs = set()
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self._drop_all()
        self.listener.close()

    def silence(self):
        self.silent.set()

    def heal(self):
        self._drop_all()
        self.silent.clear()

    def _drop_all(self):
        with self.lock:
            pairs, self.pairs = self.pairs, set()
        for pair in pairs:
            for each in pair:
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _accept(self):
        while not self.over.is_set():
            if not select.select([self.listener], [], [], 0.05)[0]:
                continue
            client, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            server = socket.create_connection(("127.0.0.1", self.to), timeout=5)
        except OSError:
            client.close()
            return
        pair = (client, server)
        with self.lock:
            self.pairs.add(pair)
        try:
            self._pump(client, server)
        except OSError:
            pass
        with self.lock:
            self.pairs.discard(pair)
        for each in pair:
            each.close()

    def _pump(self, client, server):
        cutting = False
        while not self.over.is_set():
            ready = select.select([client, server], [], [], 0.05)[0]
            if self.silent.is_set():
                if ready and not self.over.wait(0.01):
                    continue
            for each in () if self.silent.is_set() else ready:
                data = each.recv(1 << 16)
                if not data:
                    return
                if each is client and self.cut_answer_to and not self.cuts and self.cut_answer_to in data:
                    cutting = True
                if each is server and cutting:
                    self.cuts += 1
                    return
                (server if each is client else client).sendall(data)
