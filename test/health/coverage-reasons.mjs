const FOREIGN_ERROR = "It passes on an error that is none of this package's, and no test has one there.";
const ODD_HOST = "An answer of a host that the simulated one does not give.";
const EACH_PART = "Each part of a condition is tested, not each combination with the others.";
const BY_TYPE = "Cases that the types want and that do not come up.";
const IN_THE_MIDST =
  "A failure in the midst of a pool's work: the whole fault matrix has it, a sample not always.";

/** What is not run in a module of `provider/` that has less than 95 % of its lines or branches covered. */
export const reasons = {
  "provider/cli/login-fault.ts": "An error that no login has is shown without advice of its own.",
  "provider/cli/sweep.ts": BY_TYPE,
  "provider/cli/terminal.ts":
    "The questions for a passphrase and for a jump host's password; that for the host's password is tested on a terminal.",
  "provider/host/download.ts":
    "A host without the program that unpacks the image: the simulated one has them all.",
  "provider/host/find-temp-iso.ts": "The import of an SR without its PBD or VDI.",
  "provider/host/folder.ts": ODD_HOST,
  "provider/host/image.ts": ODD_HOST,
  "provider/host/plan.ts": "It asserts the order of the package's own steps.",
  "provider/host/pool-temp-iso.ts": IN_THE_MIDST,
  "provider/host/reach-pool.ts": BY_TYPE,
  "provider/host/remove-found.ts": EACH_PART,
  "provider/iso/hierarchy.ts": BY_TYPE,
  "provider/lifecycle/image-source.ts": EACH_PART,
  "provider/lifecycle/inputs.ts": EACH_PART,
  "provider/lifecycle/inspect-file.ts": BY_TYPE,
  "provider/lifecycle/inspect-once.ts": "It loads modules anew, which this run cannot do with dist.",
  "provider/lifecycle/kept-image.ts": "No temporary file can be made, or it fills the disk.",
  "provider/lifecycle/pool-hosts.ts": IN_THE_MIDST,
  "provider/lifecycle/pool-temp-iso.ts": IN_THE_MIDST,
  "provider/lifecycle/problems.ts": BY_TYPE,
  "provider/lifecycle/reached-host.ts": BY_TYPE,
  "provider/lifecycle/read-ahead.ts": "A file that gets shorter while it is read.",
  "provider/lifecycle/temp-iso-state.ts": "States of 0.1.0 have no nonce; none is created anew in the tests.",
  "provider/lifecycle/temp-iso.ts": EACH_PART,
  "provider/lifecycle/url-files.ts": FOREIGN_ERROR,
  "provider/lifecycle/url-image.ts":
    "Content that changes between the check and the create, and a name that is no UTF-8.",
  "provider/plugin/answer.ts": FOREIGN_ERROR,
  "provider/plugin/resources.ts": "The engine asks for no type of another package.",
  "provider/plugin/server.ts": "A port that cannot be bound.",
  "provider/resources/connection.ts":
    "A connection that is an Output as a whole, of a jump host or of one host of a pool.",
  "provider/resources/temp-iso.ts": EACH_PART,
  "provider/source/http.ts":
    "A proxy for https that asks for a password, and servers that answer with another part.",
  "provider/source/xz.ts": "What follows a stream within the same piece: another stream, or zeros.",
  "provider/source/zstd.ts":
    "Node.js before 22.15 takes fzstd, later ones their own decoder: a run has one of the two.",
  "provider/ssh/agent.ts": "Pageant, which only Windows has.",
  "provider/ssh/algorithms.ts":
    "A Node.js without some of the algorithms: the tests of FIPS have one, in a process of their own.",
  "provider/ssh/config.ts": "What only a user other than root meets, and Windows.",
  "provider/ssh/connect.ts": BY_TYPE,
  "provider/ssh/login.ts": "Disconnects in the midst of a key exchange.",
  "provider/ssh/private-key.ts":
    "Forms of keys that ssh-keygen does not write here: of hardware, of types that Node.js does not know.",
  "provider/ssh/retry.ts": "Tries without an end, as dialErrorLimit: -1 has them.",
  "provider/ssh/sftp.ts": "Its limits of a minute, and a channel that comes after them.",
  "provider/ssh/upload.ts": "The limit of a minute for an upload by SFTP.",
};
