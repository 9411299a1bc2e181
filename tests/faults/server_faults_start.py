# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server calls before it serves fails, one call after another: it says in one line why it
does not start, or it serves all the same."""
import collections
import os
import re
import subprocess
import tempfile

from server import OPTIONS, PATIENCE, NotHere, ask, expect, line, need_room, run, tcp, udp
from server_faults import BUILD, WHOLE, Seam, outside
from tap import MUSL, has, sanitized


def serve_again(port, tries):
    """Serves; the first time it may be what fails, and where there are workers, until there is another one."""
    while True:
        try:
            serve_once(port)
            return
        except (AssertionError, OSError):
            if tries == 0:
                raise
        tries -= 1


def serve_once(port):
    class Place:  # pylint: disable=too-few-public-methods
        pass
    Place.port = port
    expect(ask(udp(Place), b"hello"), b"HELLO", "reply to a datagram")
    client = tcp(Place)
    expect(line(client, b"hello\n"), b"HELLO\n", "reply to a line")
    client.close()


def start(n, only_memory, *options):
    """Starts it with call `n` failing. Returns the name of the fault, None if there are not so many
    calls, and whether it served."""
    seam, workers = Seam(), "--workers=2" in options
    seam.put(Seam.NTH, n)
    seam.put(Seam.ONLY_MEMORY, only_memory)
    with tempfile.TemporaryDirectory(prefix="upcase-test-") as folder:
        ready, write = os.pipe()
        files = [f"--port-file={folder}/port", f"--control={folder}/control"]
        process = subprocess.Popen([
            "upcased", "--port=0", "--bind=127.0.0.1", f"--ready-fd={write}", *files, *OPTIONS,
            *options
        ],
                                   executable=WHOLE,
                                   stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE,
                                   pass_fds=(seam.fd, write),
                                   env={**os.environ, "UPCASE_FAULTS": str(seam.fd)})
        try:
            os.close(write)
            with open(ready, "rb") as told:
                port = told.readline()
            served = bool(port) and process.poll() is None
            if served:
                serve_again(int(port), 1 if not workers else 100)
                process.terminate()
            said = process.communicate(timeout=PATIENCE)[1].decode()
            complaints = [text for text in said.splitlines() if text.startswith("upcased: ")]
            name = seam.failed()
            if served:
                # A worker that does not start says so too, and another one comes.
                expect((process.returncode, len(complaints) > workers), (0, False),
                       f"status and complaints, {name} in call {n}: {said}")
            else:
                expect((process.returncode in (1, 2), len(complaints)), (True, 1),
                       f"status and lines, {name} in call {n}: {said}")
            # What a call that cannot be made again should have removed may be left.
            left = [] if name and name.split()[0] in ("UNLINK", "STAT") else os.listdir(folder)
            expect(left, [], f"files, {name} in call {n}")
        finally:
            process.kill()
            process.wait()
            process.stderr.close()
            os.close(seam.fd)
            seam.memory.close()
    return name, served


def sweep(only_memory, *options):
    """Every call once; under sanitizers, which take long to start, every third. Prints what became of it."""
    outside(WHOLE)
    if MUSL:
        # libseccomp 2.5.4, when its memory fails, may load a filter that lacks calls; no program can
        # help that.
        raise NotHere("a memory that fails for the server alone: its libraries are linked in")
    went, stopped, n = collections.Counter(), collections.Counter(), 1
    while True:
        name, served = start(n, only_memory, *options)
        if not name:
            break
        (went if served else stopped)[name] += 1
        n += 3 if sanitized() else 1
    expect(n > 3, True, "there were calls")
    print(f"# {n - 1} calls; it did not start: {dict(stopped)}; it served: {dict(went)}")


def every_allocation():
    """each allocation of a whole run fails once"""
    sweep(1)
    if has("EPOLL"):
        need_room("--max-clients=6000")
        sweep(1, "--max-clients=6000")


def every_call():
    """each call of a whole run fails once"""
    sweep(0)


def every_call_of_workers():
    """each call of a whole run of two workers fails once"""
    sweep(0, "--workers=2")


# What the server needs of the C library that is no call to the system, or none that can fail;
# flock, whose failing is as no lock; malloc_trim, whose failing leaves memory where it is; and what
# only the client and the lab call (fdopen, fgets, feof, fopen, pipe, pipe2, readlink, ttyname_r,
# __read_chk). clang calls bcmp for
# memcmp, putc for fputc and, without SSE 4.1, ceil.
HARMLESS = re.compile(
    r"""__cpu_model|_ITM_.*|__(asan|ubsan|lsan|sanitizer|gmon)_.*|__cxa_finalize|__errno_location|__fdelt_chk|__libc_.*|
    __stack_chk_fail|_?_?(v?f?s?n?printf)(_chk)?|__?mem(cpy|move|set)_chk|mem.*|str.*|__str.*|__isoc.*|_GLOBAL_OFFSET_TABLE_|
    fflush|fputc|fputs|fputs_unlocked|fwrite|puts|putchar|stdout|stderr|stdin|opt(arg|ind|err|opt)|getopt_long|free|freeifaddrs|
    getenv|unsetenv|gmtime_r|tzset|if_indextoname|if_nametoindex|inet_ntop|inet_pton|__inet_pton_chk|cos|sqrt|log|log1p|exp|pow|fmin|fmax|llround|
    seccomp_.*|sig(action|addset|delset|emptyset|fillset|procmask)|umask|getp?pid|raise|kill|waitpid|munmap|clock_gettime|
    __tls_get_addr|qsort|bsearch|abort|u8_.*|uc_.*|UC_.*|__ctype_.*|fclose|ferror|fileno|isatty|nl_langinfo|open_memstream|setlocale|setvbuf|__sprintf_chk|sprintf|vsnprintf|__popcountdi2|geteuid|dirname|
    flock|dup2|malloc_trim|fdopen|fgets|feof|fopen|(hton|ntoh)[ls]|__cmsg_nxthdr|pipe2?|readlink|ttyname_r|_exit|__read_chk|bcmp|ceil|putc""", re.X)


def symbols(*command):
    """Names in the code itself, not in what -flto keeps beside it."""
    out = subprocess.run(["nm", "--plugin=/dev/null", *command], check=True, capture_output=True, text=True).stdout
    return {
        words[-1].split("@")[0]: words[-2]
        for words in map(str.split, out.splitlines()) if len(words) >= 2
    }


def no_way_around():
    """every call of the server's to the system goes by the seam"""
    outside(WHOLE)
    wraps = {name[len("__wrap_"):] for name in symbols(WHOLE) if name.startswith("__wrap_")}
    objects = [
        os.path.join(BUILD, "server", name) for name in os.listdir(os.path.join(BUILD, "server"))
        if name.endswith(".o")
    ]
    objects.append(os.path.join(BUILD, "common", "libcommon.a"))
    # Of the library for both programs only what the server is linked with.
    needed = set().union(*(symbols("-u", path) for path in objects)) & symbols("-u", WHOLE).keys()
    if "fopen64" in needed:
        raise NotHere("a seam in the calls of 32 bits, which have other names for large files")
    expect(sorted(name for name in needed if name not in wraps and not HARMLESS.fullmatch(name)),
           [], "calls that pass by the seam")
    expect({"recv", "send", "accept4" if has("ACCEPT4") else "accept", "pselect", "close", "malloc"} <= needed & wraps, True,
           "the calls are seen at all")


if __name__ == "__main__":
    run(no_way_around, every_allocation, every_call, *([every_call_of_workers] if has("WORKERS") else []))
