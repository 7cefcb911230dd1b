/**
 * A stand-in for Pulumi's language host for Node.js, as far as a plugin needs it: the host that can be built from
 * published Go modules is older than `PulumiPlugin.yaml`. It starts a plugin just as the vendor's does.
 *
 * @see pulumi/pulumi: sdk/nodejs/cmd/pulumi-language-nodejs/main.go, `RunPlugin`
 */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb";
import {
  type InstallDependenciesResponse,
  type InstallDependenciesRequest,
  type RunPluginRequest,
  RunPluginResponse,
} from "@pulumi/pulumi/proto/language_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { loadGrpc } from "../../provider/lifecycle/sdk";

/** A call that is answered by a stream of messages. */
interface StreamCall<Request, Response> {
  readonly request: Request;
  write(response: Response): void;
  end(): void;
  emit(event: "error", error: Error): void;
}

function runPlugin(call: StreamCall<RunPluginRequest, RunPluginResponse>): void {
  const { request } = call;
  const folder = request.getInfo()?.getProgramDirectory() ?? "";
  const runner = createRequire(join(folder, "package.json")).resolve("@pulumi/pulumi/cmd/run-plugin");
  const env = Object.fromEntries(request.getEnvList().map((line) => splitAt(line, line.indexOf("="))));
  const plugin = spawn(process.execPath, [runner, folder, ...request.getArgsList()], {
    cwd: request.getPwd(),
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const pass = (stream: Readable, set: (response: RunPluginResponse, bytes: Uint8Array) => void) =>
    stream.on("data", (bytes: Buffer) => {
      const response = new RunPluginResponse();
      set(response, bytes);
      call.write(response);
    });
  pass(plugin.stdout, (response, bytes) => response.setStdout(bytes));
  pass(plugin.stderr, (response, bytes) => response.setStderr(bytes));
  plugin.on("close", (code) => {
    if (code !== 0) call.emit("error", new Error(`Program exited with non-zero exit code: ${code}`));
    else call.end();
  });
}

function installDependencies(
  call: StreamCall<InstallDependenciesRequest, InstallDependenciesResponse>,
): void {
  const folder = call.request.getInfo()?.getProgramDirectory() ?? "";
  const npm = spawn("npm", ["install", "--no-audit", "--no-fund"], { cwd: folder, stdio: "ignore" });
  npm.on("close", (code) => {
    if (code !== 0) call.emit("error", new Error(`npm install ended with ${code}`));
    else call.end();
  });
}

function splitAt(text: string, index: number): [string, string] {
  return [text.slice(0, index), text.slice(index + 1)];
}

const { Server, ServerCredentials } = loadGrpc();
const server = new Server({});
server.addService(LanguageRuntimeService, {
  getPluginInfo: (_call: unknown, answer: (error: null, info: PluginInfo) => void) => {
    answer(null, new PluginInfo());
  },
  installDependencies,
  runPlugin,
});
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port);
});
