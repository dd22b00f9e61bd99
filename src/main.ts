import { parseArguments, parseRequest } from './cli/arguments.ts';

async function run(argv: string[]): Promise<number> {
  const request = parseRequest(argv);
  if (request.kind === 'help') {
    const { helpFor } = await import('./cli/help.ts');
    process.stdout.write(helpFor(request.command));
    return 0;
  }
  if (request.kind === 'version') {
    const { default: manifest } = await import('../package.json', { with: { type: 'json' } });
    process.stdout.write(`${manifest.version}\n`);
    return 0;
  }
  const { command, rest } = request;
  switch (command) {
    case 'serve': {
      const given = parseArguments(command, rest);
      return (await import('./cli/serve.ts')).serve(given);
    }
    case 'env': {
      const given = parseArguments(command, rest);
      return (await import('./cli/env.ts')).env(given);
    }
    case 'exec': {
      const given = parseArguments(command, rest);
      return (await import('./cli/exec.ts')).exec(given);
    }
    case 'record': {
      const given = parseArguments(command, rest);
      return (await import('./cli/record.ts')).record(given);
    }
    case 'replay': {
      const given = parseArguments(command, rest);
      return (await import('./cli/replay.ts')).replay(given);
    }
    case 'drift': {
      const given = parseArguments(command, rest);
      return (await import('./cli/drift.ts')).drift(given);
    }
    case 'connection': {
      const given = parseArguments(command, rest);
      return (await import('./cli/connection.ts')).connection(given);
    }
    case 'secrets': {
      const given = parseArguments(command, rest);
      return (await import('./cli/secrets.ts')).secrets(given);
    }
    case 'audit': {
      const given = parseArguments(command, rest);
      return (await import('./cli/audit.ts')).audit(given);
    }
    case 'key': {
      const given = parseArguments(command, rest);
      return (await import('./cli/key.ts')).key(given);
    }
    case 'token': {
      const given = parseArguments(command, rest);
      return (await import('./cli/token.ts')).token(given);
    }
    case 'project': {
      const given = parseArguments(command, rest);
      return (await import('./cli/project.ts')).project(given);
    }
    case 'purge': {
      const given = parseArguments(command, rest);
      return (await import('./cli/purge.ts')).purge(given);
    }
    case 'doctor': {
      const given = parseArguments(command, rest);
      return (await import('./cli/doctor.ts')).doctor(given);
    }
    default: {
      const given = parseArguments(command, rest);
      return (await import('./cli/resource.ts')).resource(command, given);
    }
  }
}

try {
  const exitCode = await run(process.argv.slice(2));
  // A handle that something forgot must not keep a finished command alive.
  process.stdout.write('', () => process.exit(exitCode));
} catch (error) {
  const { describeFailure } = await import('./cli/failure.ts');
  const { exitCode, message } = describeFailure(error);
  process.stderr.write(`bloomery: ${message}\n`, () => process.exit(exitCode));
}
