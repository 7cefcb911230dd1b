"""A link between two network namespaces: python3 link.py CLIENT_PID SERVER_PID BITS_PER_SECOND DELAY_MS LOSS_PERCENT

Each namespace gets a TUN device, 10.9.0.1 the client and 10.9.0.2 the server; this program carries the packets. Linux
has a queue of its own for that (netem), but not every kernel is built with it. Each direction has the rate, half of
the round trip, the loss, and a queue of 100 packets or, if that is more, two round trips. Prints "up", and ends with
its standard input.
"""
import ctypes
import fcntl
import os
import random
import select
import struct
import subprocess
import sys
import time
from collections import deque

TUNSETIFF, IFF_TUN, IFF_NO_PI, CLONE_NEWNET = 0x400454CA, 1, 0x1000, 0x40000000
PACKET_BYTES = 1500


def device(pid, address, peer):
    """Makes the TUN device in the namespace of a process."""
    with open("/proc/self/ns/net") as own, open(f"/proc/{pid}/ns/net") as other:
        enter(other)
        tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"link0", IFF_TUN | IFF_NO_PI))
        for words in (["addr", "add", address, "peer", peer, "dev", "link0"], ["link", "set", "link0", "up"]):
            subprocess.run(["ip", *words], check=True)
        enter(own)
    return tun


def enter(namespace):
    if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Direction:
    def __init__(self, source, target, rate, delay, loss, seed):
        self.source, self.target, self.rate, self.delay, self.loss = source, target, rate, delay, loss
        self.most = max(100, int(4 * delay * rate / PACKET_BYTES))
        self.random = random.Random(seed)
        self.free_at = 0.0
        self.waiting = deque()

    def read(self, now):
        while True:
            try:
                packet = os.read(self.source, 65536)
            except BlockingIOError:
                return
            # Those on the way are not in the queue any more.
            queued = (self.free_at - now) * self.rate / PACKET_BYTES
            if queued > self.most:
                continue
            self.free_at = max(self.free_at, now) + len(packet) / self.rate
            # What is lost has taken its time all the same.
            if self.random.random() >= self.loss:
                self.waiting.append((self.free_at + self.delay, packet))

    def write(self, now):
        while self.waiting and self.waiting[0][0] <= now:
            try:
                os.write(self.target, self.waiting.popleft()[1])
            except BlockingIOError:
                pass

    def due(self):
        return self.waiting[0][0] if self.waiting else float("inf")


def main():
    client_pid, server_pid = sys.argv[1:3]
    rate, delay, loss = float(sys.argv[3]) / 8, float(sys.argv[4]) / 2_000, float(sys.argv[5]) / 100
    client = device(client_pid, "10.9.0.1", "10.9.0.2")
    server = device(server_pid, "10.9.0.2", "10.9.0.1")
    directions = [
        Direction(client, server, rate, delay, loss, 1),
        Direction(server, client, rate, delay, loss, 2),
    ]
    print("up", flush=True)
    while True:
        wait = min(each.due() for each in directions) - time.monotonic()
        ready, _, _ = select.select([client, server, sys.stdin], [], [], min(max(wait, 0), 1))
        if sys.stdin in ready and not os.read(0, 1):
            return
        now = time.monotonic()
        for each in directions:
            if each.source in ready:
                each.read(now)
            each.write(now)


main()
