import { once } from "node:events";
import { Client, type ClientChannel, type ConnectConfig } from "ssh2";
import type { SimulatedHost } from "../../simulator";

/** What a command printed, and how it ended. */
export interface Ran {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** A login that ends with the block it is in. */
export class Login implements AsyncDisposable {
  private constructor(readonly client: Client) {}

  static async to(host: SimulatedHost, config: ConnectConfig = {}): Promise<Login> {
    const client = new Client();
    const { host: address, port, user: username, privateKey } = host.connection;
    const credentials = "password" in config ? {} : { privateKey };
    // Of a broken connection there are several, and who waits for it to be ready gets the first.
    client.on("error", () => undefined);
    client.on("keyboard-interactive", (_name, _instructions, _language, _prompts, finish) => {
      finish([config.password ?? ""]);
    });
    client.connect({ host: address, port, username, ...credentials, ...config });
    await once(client, "ready");
    client.setNoDelay(true);
    return new Login(client);
  }

  open(command: string): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      this.client.exec(command, (error, channel) => {
        if (error) reject(error);
        else resolve(channel);
      });
    });
  }

  async run(command: string, input = ""): Promise<Ran> {
    const channel = await this.open(command);
    let [stdout, stderr] = ["", ""];
    channel.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    channel.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    channel.end(input);
    const [status] = (await once(channel, "close")) as [number | null | undefined];
    return { status: status ?? undefined, stdout, stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.client, "close");
    this.client.end();
    await closed;
  }
}

/** Runs one command on a host, by a login of its own. */
export async function runOn(host: SimulatedHost, command: string, input?: string): Promise<Ran> {
  await using login = await Login.to(host);
  return await login.run(command, input);
}

/** Makes an ISO SR of a new folder with one disc in it, and scans it. */
export async function makeSr(host: SimulatedHost, name = "disc.iso", folder = "/var/opt/xen-iso/a") {
  const made = await runOn(
    host,
    `mkdir -p ${folder} && echo content >${folder}/${name} &&
     sr=$(xe sr-create name-label=discs type=iso content-type=iso device-config:location=${folder} \\
       device-config:legacy_mode=true host-uuid=${host.uuid}) && xe sr-scan uuid=$sr && echo $sr &&
     xe pbd-list sr-uuid=$sr --minimal && xe vdi-list sr-uuid=$sr --minimal`,
  );
  const [sr = "", pbd = "", vdi = ""] = made.stdout.split("\n");
  if (made.status !== 0) throw new Error(made.stderr);
  return { sr, pbd, vdi };
}
