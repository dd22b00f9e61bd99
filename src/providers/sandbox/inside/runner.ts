/**
 * Runs one piece of code after another in the same namespace, as a notebook does: the value of a last expression is
 * shown, an exception with the part of its traceback that lies in the caller's code.
 */
export const runner = `
import errno, linecache, os, random, sys, traceback
from pyodide.code import eval_code_async

sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
sys.stderr.reconfigure(line_buffering=True, errors="backslashreplace")
# Snapshots begin alike.
random.seed()

def system(command):
    raise OSError(errno.ENOTSUP, "There are no other processes here.")

os.system = system
for name in ("js", "pyodide_js"):
    sys.modules[name] = None
os.makedirs("/mnt/data", exist_ok=True)
os.chdir("/mnt/data")

import types
main = types.ModuleType("__main__")
sys.modules["__main__"] = main
count = 0

async def run(code):
    global count
    count += 1
    name = f"<cell {count}>"
    linecache.cache[name] = (len(code), None, code.splitlines(True), name)
    try:
        value = await eval_code_async(code, globals=main.__dict__, filename=name)
        if value is not None:
            print(repr(value))
        return True
    except SystemExit as end:
        if end.code in (None, 0):
            return True
        print(f"SystemExit: {end.code}", file=sys.stderr)
        return False
    except BaseException as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename != name:
            trace = trace.tb_next
        traceback.print_exception(type(error), error, trace)
        return False
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
run
`;
