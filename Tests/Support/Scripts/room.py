"""Runs a command in a mount namespace of its own in which some files and folders stand in the place of others.
  room.py OURS PLACE [OURS PLACE]… -- COMMAND [OPERAND]…
What unshare(1) and mount(8) do, but in a chroot too, where the root isn't a mount point."""
import ctypes
import os
import sys
import tempfile

CLONE_NEWNS = 0x20000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
LIBC = ctypes.CDLL(None, use_errno=True)


def mount(source, target, flags):
    if LIBC.mount(source and source.encode(), target.encode(), None, flags, None) != 0:
        sys.exit(f"room.py: mount {source} {target}: {os.strerror(ctypes.get_errno())}")


def leave_root():
    """To the root of the namespace, whatever the process's own root is; returns the way back."""
    old = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    with tempfile.TemporaryDirectory() as inner:
        os.chroot(inner)
        os.fchdir(old)
        # Nothing stops it, as the process's root isn't above.
        while True:
            here = os.stat(".")
            os.chdir("..")
            if os.path.samestat(here, os.stat(".")):
                break
        os.chroot(".")
        there = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
        # For the folder's removal.
        enter(old)
    enter(there)
    return old


def enter(root):
    os.fchdir(root)
    os.chroot(".")


def main(operands):
    end = operands.index("--")
    if LIBC.unshare(CLONE_NEWNS) != 0:
        sys.exit(f"room.py: unshare: {os.strerror(ctypes.get_errno())}")
    folder = os.getcwd()
    own = leave_root()
    # Nothing that is mounted here is to be seen elsewhere.
    mount(None, "/", MS_REC | MS_PRIVATE)
    enter(own)
    os.chdir(folder)
    for ours, place in zip(operands[0:end:2], operands[1:end:2]):
        mount(ours, place, MS_BIND)
    command = operands[end + 1 :]
    os.execvp(command[0], command)


main(sys.argv[1:])
