import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { residentBytes } from './memory-watch.ts';
import { createSandbox, type Sandbox, type SandboxOptions, type Session } from './sandbox.ts';

const slow = 120_000;
const directory = mkdtempSync(join(tmpdir(), 'bloomery-sandbox-'));
const never = new AbortController().signal;
const defaults = {
  memoryMegabytes: 128,
  timeoutSeconds: 2,
  outputBytes: 10_000,
  idleMinutes: 5,
  warm: 0,
  log: { warn() {} },
};
let sandbox: Sandbox;
let server: Server;
let requests = 0;

beforeAll(async () => {
  sandbox = createSandbox({ ...defaults, directory });
  server = createServer((_, response) => {
    requests++;
    response.end('reached');
  });
  server.on('connection', () => requests++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await sandbox.close();
  server.close();
  rmSync(directory, { recursive: true, force: true });
});

const within = <T>(work: (session: Session) => Promise<T>, container = 'one', signal = never) =>
  sandbox.use(container, signal, work);
const run = (code: string, container?: string, signal?: AbortSignal) =>
  within(({ interpreter }) => interpreter.run(code, signal ?? never), container, signal);
/** The JavaScript that Python can lay its hands on, by whatever way. */
const javascript = `
import sys
from pyodide.ffi import to_js
pyodide_js = [f for f in sys.meta_path if hasattr(f, "jsproxies")][0].jsproxies["pyodide_js"]
function = to_js([]).constructor.constructor
`;

describe('a notebook', () => {
  test('what is printed and the value of the last expression are the output', { timeout: slow }, async () => {
    expect(await run('print("one")\n1 + 1')).toMatchObject({
      output: 'one\n2\n',
      succeeded: true,
      ended: null,
    });
  });

  test('variables, functions and imports stay', { timeout: slow }, async () => {
    await run('import math\nx = 20\ndef double(n): return n * 2');
    expect((await run('double(x) + math.floor(2.5)')).output).toBe('42\n');
  });

  test('an exception shows the lines of the caller only', { timeout: slow }, async () => {
    const { output, succeeded } = await run('def f():\n    return 1 / 0\nf()');
    expect(succeeded).toBe(false);
    expect(output).toMatch(/^Traceback[\s\S]*line 3, in <module>[\s\S]*line 2, in f[\s\S]*ZeroDivisionError/);
    expect(output).not.toContain('_pyodide');
    expect((await run('def f(:')).output).toMatch(/line 1[\s\S]*SyntaxError/);
  });

  test('await works at the top level', { timeout: slow }, async () => {
    expect((await run('import asyncio\nawait asyncio.sleep(0.01)\n"slept"')).output).toBe("'slept'\n");
  });

  test('files come in, and what is new, changed or gone comes out', { timeout: slow }, async () => {
    const first = await within(({ interpreter }) => {
      interpreter.put('in/a.txt', Buffer.from('abc'));
      interpreter.put('b.txt', Buffer.from('b'));
      return interpreter.run(
        'import os\ntext = open("in/a.txt").read()\nopen("in/a.txt", "w").write("ABC")\nos.remove("b.txt")\nopen("c.bin", "wb").write(bytes(range(256)))',
        never,
      );
    });
    expect(first.files.map(({ path, bytes }) => [path, bytes.length]).sort()).toEqual([
      ['c.bin', 256],
      ['in/a.txt', 3],
    ]);
    expect(first.gone).toEqual(['b.txt']);
    const second = await run('print(text)');
    expect(second).toMatchObject({ output: 'abc\n', files: [], gone: [] });
  });

  test('two processes have nothing in common, randomness neither', { timeout: slow }, async () => {
    await run('mine = 1');
    const random = 'import random\nrandom.random()';
    const [here, there] = [await run(random), await run(random, 'two')];
    expect(here.output).not.toBe(there.output);
    expect((await run('mine', 'two')).output).toContain('NameError');
    await sandbox.drop('two');
  });
});

describe('no way out', () => {
  test('to the network', { timeout: slow }, async () => {
    const { port } = server.address() as AddressInfo;
    const { output } = await run(`
import socket, urllib.request
def attempt(what):
    try: print(what())
    except BaseException as error: print("refused", type(error).__name__)
attempt(lambda: urllib.request.urlopen("http://127.0.0.1:${port}/").read())
attempt(lambda: socket.create_connection(("127.0.0.1", ${port}), 1))
${javascript}
attempt(lambda: function("return fetch('http://127.0.0.1:${port}/')")())
try: await pyodide_js.loadPackage("http://127.0.0.1:${port}/x.whl")
except BaseException as error: print("refused", type(error).__name__)
try: await pyodide_js.useNodeSockFS()
except BaseException as error: print("refused", type(error).__name__)
`);
    expect(output.match(/^refused/gm)?.length).toBeGreaterThanOrEqual(4);
    expect(output).not.toContain('reached');
    expect(requests).toBe(0);
  });

  test("to the host's files", { timeout: slow }, async () => {
    const secret = join(directory, 'secret.txt');
    writeFileSync(secret, 'the secret');
    const { output } = await run(`
import os
def attempt(what):
    try: print(what())
    except BaseException as error: print("refused", type(error).__name__)
attempt(lambda: open("${secret}").read())
attempt(lambda: open("/etc/passwd").read())
${javascript}
attempt(lambda: pyodide_js.mountNodeFS("/host", "${directory}"))
attempt(lambda: os.listdir("/host"))
attempt(lambda: open("/host/secret.txt").read())
attempt(lambda: open("/host/made.txt", "w").write("x"))
print(os.path.exists("/host/made.txt"))
`);
    expect(output).not.toContain('the secret');
    expect(output).not.toContain('root:');
    expect(output).toMatch(/^(refused \w+\n){3}/);
  });

  test('to the environment of the server', { timeout: slow }, async () => {
    process.env.BLOOMERY_TEST_SECRET = 'from outside';
    const { output } = await run('import os\nprint(dict(os.environ))');
    delete process.env.BLOOMERY_TEST_SECRET;
    expect(output).not.toContain('from outside');
    expect(output).not.toContain(process.cwd());
  });

  test('to other processes', { timeout: slow }, async () => {
    const { output } = await run(`
import os, subprocess
def attempt(what):
    try: print(what())
    except BaseException as error: print("refused", type(error).__name__)
attempt(os.fork)
attempt(lambda: subprocess.run(["ls"]))
attempt(lambda: os.system("ls"))
attempt(lambda: os.execv("/bin/ls", ["ls"]))
`);
    expect(output).toMatch(/^(refused OSError\n){4}$/);
  });

  test('out of Python but by the end of its process', { timeout: slow }, async () => {
    expect(await run('print("last")\nimport os\nos.abort()')).toMatchObject({
      output: expect.stringMatching(/^last\n/),
      ended: 'fault',
    });
    expect(await run('1')).toMatchObject({ output: '1\n', ended: null });
  });

  test('to what Node offers JavaScript', { timeout: slow }, async () => {
    const names = 'process require fetch global Buffer WebSocket Worker navigator structuredClone module';
    const { output } = await run(`
${javascript}
try: print(function("return typeof process")())
except BaseException as error: print("refused")
try: import js; print("js")
except ImportError: print("refused")
world = pyodide_js._module
found = []
for name in ${JSON.stringify(names.split(' '))}:
    if hasattr(pyodide_js.globals, name): found.append(name)
print(found)
`);
    expect(output).toBe('refused\nrefused\n[]\n');
  });
});

describe('bounds', () => {
  test('an endless loop is interrupted, and its variables stay', { timeout: slow }, async () => {
    await run('kept = 7');
    const looped = await run('print("begun")\nwhile True: pass');
    expect(looped).toMatchObject({ interrupted: true, succeeded: false, ended: null });
    expect(looped.output).toMatch(/^begun\n[\s\S]*KeyboardInterrupt/);
    expect((await run('kept')).output).toBe('7\n');
  });

  test('a loop that will not be interrupted is ended, and what it printed is told', {
    timeout: slow,
  }, async () => {
    const stubborn = await run(
      'print("begun")\nwhile True:\n    try:\n        while True: pass\n    except BaseException: pass',
    );
    expect(stubborn).toMatchObject({ ended: 'time', output: 'begun\n' });
    expect(await run('"alive"')).toMatchObject({ output: "'alive'\n", ended: null });
  });

  test('memory ends in a MemoryError, and the process does not grow', { timeout: slow }, async () => {
    const bomb = await run(
      'try:\n    pile = []\n    while True: pile.append(bytearray(10_000_000))\nexcept MemoryError:\n    print(len(pile))\n    del pile',
    );
    expect(bomb).toMatchObject({ succeeded: true, ended: null });
    const [pid = 0] = sandbox.processes();
    const bytes = await residentBytes(pid);
    if (bytes !== null) expect(bytes).toBeLessThan(128 * 1_048_576 + 335_544_320);
  });

  test('memory taken behind the back of Python ends the process', { timeout: slow }, async () => {
    const isWatched = (await residentBytes(process.pid)) !== null;
    const { ended } = await run(`${javascript}
buffer = to_js(b"x").constructor
pile = []
while True:
    block = buffer.new(50_000_000)
    block.fill(1)
    pile.append(block)
`);
    expect(ended).toBe(isWatched ? 'memory' : 'fault');
  });

  test('a flood of output is cut off', { timeout: slow }, async () => {
    const { output, truncated, ended } = await run('for i in range(1_000_000): print(i)');
    expect([output.length, truncated, ended]).toEqual([10_000, true, null]);
  });

  test('files beyond the bounds stay behind, each with the reason', { timeout: slow }, async () => {
    const { files, skipped } = await run(
      'open("big.bin", "wb").write(bytes(34_000_000))\nfor i in range(120): open(f"f{i}", "w").write("x")',
    );
    expect(files.length).toBeLessThanOrEqual(100);
    expect(skipped.join('\n')).toMatch(/big\.bin: more than[\s\S]*more than 100 files|more than 100 files/);
    await sandbox.drop('one');
  });

  test('whoever gives up ends the run', { timeout: slow }, async () => {
    const abort = new AbortController();
    const running = within(({ interpreter }) => {
      setTimeout(() => abort.abort(new Error('given up')), 50);
      return interpreter.run('import time\ntime.sleep(60)', abort.signal);
    }, 'one');
    expect(await running).toMatchObject({ ended: 'time' });
  });
});

describe('the pool', () => {
  const pool = (options: Partial<SandboxOptions>) => createSandbox({ ...defaults, directory, ...options });
  const all = async (pooled: Sandbox, code: string, ...containers: string[]) =>
    Promise.all(
      containers.map((container) =>
        pooled.use(container, never, async ({ interpreter, fresh }) => {
          const { output } = await interpreter.run(code, never);
          return [fresh, output];
        }),
      ),
    );

  test('a process that idles is put away', { timeout: slow }, async () => {
    const pooled = pool({ idleMinutes: 0.002 });
    await all(pooled, 'x = 1', 'a');
    const [pid = 0] = pooled.processes();
    await vi.waitFor(() => expect(pooled.processes()).toEqual([]), 10_000);
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow(), 10_000);
    expect(await all(pooled, 'print("x" in globals())', 'a')).toEqual([[true, 'False\n']]);
    await pooled.close();
  });

  test('there are so many processes and no more: whoever idles makes room', { timeout: slow }, async () => {
    const pooled = pool({});
    await all(pooled, 'x = 1', 'a', 'b', 'c', 'd', 'e', 'f');
    expect(pooled.processes()).toHaveLength(4);
    const again = await all(pooled, 'x', 'f');
    expect(again).toEqual([[false, '1\n']]);
    const pids = pooled.processes();
    await pooled.close();
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow();
    await expect(all(pooled, '1', 'a')).rejects.toMatchObject({ code: 'service_unavailable' });
  });

  test('runs of one container follow each other, each in its own process', { timeout: slow }, async () => {
    const pooled = pool({ warm: 1 });
    await all(pooled, 'n = globals().get("n", 0) + 1', 'a', 'a', 'a', 'b');
    expect(await all(pooled, 'n', 'a', 'b')).toEqual([
      [false, '3\n'],
      [false, '1\n'],
    ]);
    await pooled.close();
  });

  test('a snapshot that does not do is made again', { timeout: slow }, async () => {
    const [file = ''] = readdirSync(directory).filter((name) => name.endsWith('.snapshot'));
    writeFileSync(join(directory, file), 'no snapshot');
    const pooled = pool({});
    expect(await all(pooled, '"well"', 'a')).toEqual([[true, "'well'\n"]]);
    expect(statSync(join(directory, file)).size).toBeGreaterThan(1_000_000);
    await pooled.close();
  });
});
