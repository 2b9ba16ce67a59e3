"""`localhost:PORT` in a job that stands for a machine, for services that cannot share its name space.

On GitHub such a job runs on the machine on which the service's port is published, so that
`ports: ["9000:8080"]` is reached at `localhost:9000` (GitHub docs, "About service containers"). In our job's
container a small process listens there and passes connections on to the service by its name. No image is
ours to count on, so it is written in what most images have one of; where none is there, the caller says so.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pawl.ports.executor import Process, ProcessSpec, ServiceSpec

NOTHING_FOUND = 127
_LONGEST_START, _LOOK_EVERY = 15.0, 0.01
_READY = b"ready\n"
_FIRST_FREE = 49_152  # IANA's dynamic range, where hosted runners take theirs from as well


@dataclass(frozen=True, slots=True)
class Forward:
    """A port of the job's loopback interface, and where its connections go."""

    port: int
    service: str
    to: int

    def __str__(self) -> str:
        """Return it as the script takes it."""
        return f"{self.port}:{self.service}:{self.to}"


def plan_forwards(services: Sequence[ServiceSpec]) -> tuple[tuple[Forward, ...], tuple[str, ...]]:
    """Return what to forward for services in containers of their own, and what cannot be, a sentence each.

    A port without a wish gets its own number where that is free, else one that nobody asked for.
    """
    forwards: dict[int, Forward] = {}
    problems = []
    mapped = [(service.name, port) for service in services for port in service.ports]
    for name, port in sorted(mapped, key=lambda one: one[1].host is None):
        if port.protocol != "tcp":
            problems.append(
                f"{name}: {port.container}/{port.protocol} is reached at {name}, not at localhost"
            )
            continue
        at = port.host or port.container
        if at in forwards and port.host is None:
            at = next(free for free in range(_FIRST_FREE, 65_536) if free not in forwards)
        if at in forwards:
            problems.append(f"{forwards[at].service} and {name} both want localhost:{at}")
            continue
        forwards[at] = Forward(at, name, port.container)
    return tuple(forwards.values()), tuple(problems)


def forwarded_ports(
    services: Sequence[ServiceSpec], forwards: Sequence[Forward]
) -> Mapping[str, Mapping[str, int]]:
    """Return by service and container port where the job reaches it."""
    found: dict[str, dict[str, int]] = {service.name: {} for service in services}
    for one in forwards:
        found[one.service].setdefault(str(one.to), one.port)
    return found


# Each listens on all given ports, prints "ready", and serves until it is killed.
_PERL = r"""
use IO::Socket::INET; use IO::Select;
$SIG{CHLD}='IGNORE'; my %to; my $all=IO::Select->new;
for(@ARGV){my($p,$h,$t)=split/:/;
 my $l=IO::Socket::INET->new(Listen=>128,LocalAddr=>'127.0.0.1',LocalPort=>$p,ReuseAddr=>1) or die "$p: $!\n";
 $all->add($l); $to{fileno $l}=[$h,$t];}
$|=1; print "ready\n";
while(1){for my $l($all->can_read){my $c=$l->accept or next; my $pid=fork;
 if(defined $pid && $pid==0){my($h,$t)=@{$to{fileno $l}};
  my $d=IO::Socket::INET->new(PeerAddr=>$h,PeerPort=>$t,Timeout=>30) or exit 1;
  my $s=IO::Select->new($c,$d); my $b;
  while($s->count){for my $r($s->can_read){my $w=$r==$c?$d:$c; my $n=sysread $r,$b,65536;
   if(!$n){$s->remove($r);shutdown $w,1;next}
   for(my $o=0;$o<$n;){my $k=syswrite $w,$b,$n-$o,$o; exit 1 unless defined $k; $o+=$k}}}
  exit 0}
 close $c}}
"""
_PYTHON = r"""
import asyncio,sys
async def pipe(r,w):
    try:
        while True:
            b=await r.read(65536)
            if not b: break
            w.write(b); await w.drain()
        w.write_eof()
    except OSError: w.close()
def serve(h,t):
    async def one(r,w):
        try: R,W=await asyncio.open_connection(h,int(t))
        except OSError: w.close(); return
        await asyncio.gather(pipe(r,W),pipe(R,w)); W.close(); w.close()
    return one
async def main():
    kept=[]
    for a in sys.argv[1:]:
        p,h,t=a.split(':'); kept.append(await asyncio.start_server(serve(h,t),'127.0.0.1',int(p)))
    print('ready',flush=True); await asyncio.Event().wait()
asyncio.run(main())
"""
_NODE = r"""
const net=require('net'); let left=process.argv.length-1;
for(const a of process.argv.slice(1)){const [p,h,t]=a.split(':');
 net.createServer({allowHalfOpen:true},c=>{const d=net.connect({port:+t,host:h,allowHalfOpen:true});
  c.pipe(d);d.pipe(c);c.on('error',()=>d.destroy());d.on('error',()=>c.destroy())
 }).listen(+p,'127.0.0.1',()=>{if(!--left)console.log('ready')})}
"""

SCRIPT = f"""
perl=$1 python=$2 node=$3; shift 3
has() {{ command -v "$1" > /dev/null 2>&1; }}
has perl && perl -MIO::Socket::INET -MIO::Select -e 1 2> /dev/null && exec perl -e "$perl" "$@"
has python3 && exec python3 -c "$python" "$@"
has node && exec node -e "$node" "$@"
if has socat; then
  for one; do p=${{one%%:*}}; socat "TCP-LISTEN:$p,bind=127.0.0.1,fork,reuseaddr" "TCP:${{one#*:}}" & done
  echo ready; wait
elif nc --help 2>&1 | grep -q -- '-ll'; then
  for one; do p=${{one%%:*}} to=${{one#*:}}; nc -ll -p "$p" -e nc "${{to%:*}}" "${{to#*:}}" & done
  echo ready; wait
fi
exit {NOTHING_FOUND}
"""
"""For `sh -c SCRIPT sh PERL PYTHON NODE FORWARD...`."""


def forward_command(forwards: Sequence[Forward]) -> tuple[str, ...]:
    """Return the program that forwards; it ends at once, with 127, where an image has nothing for it."""
    return ("/bin/sh", "-c", SCRIPT, "sh", _PERL, _PYTHON, _NODE, *map(str, forwards))


async def start_forwarding(
    run: Callable[[ProcessSpec], Awaitable[Process]], forwards: Sequence[Forward]
) -> str | None:
    """Start the process that forwards, and return when it listens: None, or why it does not.

    Args:
        run: starts a process in the job's container.
        forwards: what to forward.

    Raises:
        InfrastructureError: the container is gone.
    """
    process = await run(ProcessSpec(id="forward-ports", argv=forward_command(forwards)))
    ended = asyncio.ensure_future(process.wait())
    try:
        async with asyncio.timeout(_LONGEST_START):
            while not _says_ready(process.stdout):
                await asyncio.wait((ended,), timeout=_LOOK_EVERY)
                if ended.done():
                    found = "" if ended.result().code == NOTHING_FOUND else " that works"
                    return f"the image has no perl, python3, node, socat or nc{found}"
    except TimeoutError:
        return "the process that forwards did not begin to listen"
    finally:
        ended.cancel()
    return None


def _says_ready(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.read(descriptor, len(_READY)) == _READY
    except OSError:
        return False
    finally:
        os.close(descriptor)
