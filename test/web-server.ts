import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a server does with a file, beside sending it. */
export interface WebFileBehaviour {
  readonly bytes?: Uint8Array;
  /** Instead of the file. */
  readonly redirect?: string;
  readonly status?: number;
  /** How often a connection is cut after so many bytes of an answer, and no more bytes come after that. */
  readonly cut?: { readonly times: number; readonly afterBytes: number };
  /** Announced instead of the real length. */
  readonly length?: number;
  readonly ranges?: boolean;
  readonly chunked?: boolean;
  readonly validators?: Readonly<Record<string, string>>;
  /** The answer stops here without an end. */
  readonly stallAfterBytes?: number;
  readonly needsHeader?: readonly [string, string];
  readonly contentType?: string;
}

/** A request as the server saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  /** Of the body of the answer. */
  sentBytes: number;
}

/** A web server of a test's own. */
export class WebServer implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  readonly files = new Map<string, WebFileBehaviour>();
  readonly #cuts = new Map<string, number>();

  private constructor(
    readonly server: http.Server | https.Server,
    readonly origin: string,
    /** Of its certificate: for `NODE_EXTRA_CA_CERTS`. */
    readonly certificatePath?: string,
  ) {
    server.on("request", (request: http.IncomingMessage, response: http.ServerResponse) =>
      this.#answer(request, response),
    );
  }

  static async start(): Promise<WebServer> {
    return WebServer.#listen(http.createServer(), "http");
  }

  static async startHttps(): Promise<WebServer> {
    const folder = mkdtempSync(join(tmpdir(), "xen-iso-web-"));
    const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
    const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
    const files = ["-keyout", key, "-out", certificate, "-days", "2"];
    const algorithm = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    execFileSync("openssl", ["req", "-x509", ...algorithm, ...files, ...subject], { stdio: "ignore" });
    const server = https.createServer({ key: readFileSync(key), cert: readFileSync(certificate) });
    return WebServer.#listen(server, "https", certificate);
  }

  static async #listen(
    server: http.Server | https.Server,
    scheme: string,
    certificatePath?: string,
  ): Promise<WebServer> {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return new WebServer(server, `${scheme}://127.0.0.1:${port}`, certificatePath);
  }

  /** Serves a file; returns its URL. */
  serve(path: string, file: WebFileBehaviour): string {
    this.files.set(path, file);
    this.#cuts.set(path, file.cut?.times ?? 0);
    return this.origin + path;
  }

  /** Requests for the content of a file. */
  get downloads(): SeenRequest[] {
    return this.requests.filter(({ method }) => method === "GET");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }

  #answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const path = new URL(request.url ?? "/", this.origin).pathname;
    const seen = { method: request.method ?? "", path, headers: request.headers, sentBytes: 0 };
    this.requests.push(seen);
    const file = this.files.get(path);
    if (!file) return void response.writeHead(404).end("not here");
    const [name, value] = file.needsHeader ?? [];
    if (name !== undefined && request.headers[name] !== value) return void response.writeHead(401).end();
    if (file.redirect !== undefined) return void response.writeHead(302, { location: file.redirect }).end();
    if (file.status !== undefined) return void response.writeHead(file.status).end();
    return this.#send(file, seen, response);
  }

  #send(file: WebFileBehaviour, seen: SeenRequest, response: http.ServerResponse): void {
    const bytes = file.bytes ?? new Uint8Array();
    const { ranges = true, validators = { etag: '"1"' } } = file;
    const [, from] = /^bytes=(\d+)-$/.exec(seen.headers.range ?? "") ?? [];
    const ifRange = seen.headers["if-range"];
    const isSame = ifRange === undefined || Object.values(validators).includes(String(ifRange));
    const start = ranges && from !== undefined && isSame ? Number(from) : 0;
    const isPart = start > 0;
    const total = file.length ?? bytes.length;
    if (isPart && start >= bytes.length) return void response.writeHead(416).end();
    response.writeHead(isPart ? 206 : 200, {
      "content-type": file.contentType ?? "application/octet-stream",
      ...validators,
      ...(!file.chunked && { "content-length": total - start }),
      ...(isPart && { "content-range": `bytes ${start}-${total - 1}/${total}` }),
    });
    if (seen.method === "HEAD") return void response.end();

    const left = this.#cuts.get(seen.path) ?? 0;
    if (left > 0) this.#cuts.set(seen.path, left - 1);
    const cutBytes = left > 0 ? file.cut?.afterBytes : undefined;
    const body = bytes.subarray(
      start,
      file.stallAfterBytes ?? (cutBytes === undefined ? undefined : start + cutBytes),
    );
    seen.sentBytes = body.length;
    return void response.write(body, () => {
      if (file.stallAfterBytes !== undefined) return;
      if (cutBytes !== undefined || (file.length ?? 0) > bytes.length) response.destroy();
      else response.end();
    });
  }
}

/** A proxy for http and https, which counts what it is asked for. */
export class WebProxy implements AsyncDisposable {
  readonly seen: string[] = [];
  readonly #sockets = new Set<Socket>();

  private constructor(
    readonly server: http.Server,
    readonly url: string,
  ) {
    server.on("connection", (socket: Socket) => this.#sockets.add(socket));
    server.on("request", (request: http.IncomingMessage, response: http.ServerResponse) => {
      this.seen.push(`${request.method} ${request.url}`);
      const sent = http.request(request.url ?? "", { method: request.method, headers: request.headers });
      sent.on("response", (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(response);
      });
      sent.end();
    });
    server.on("connect", (request: http.IncomingMessage, socket: Socket) => {
      this.seen.push(`CONNECT ${request.url}`);
      const [host = "", port = ""] = (request.url ?? "").split(":");
      const target = connect(Number(port), host, () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        target.pipe(socket).pipe(target);
      });
      target.on("error", () => socket.destroy());
      socket.on("error", () => target.destroy());
    });
  }

  static async start(): Promise<WebProxy> {
    const server = http.createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new WebProxy(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
    await once(this.server, "close");
  }
}
