export const KEY =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJWDaxhzlaJqKY73Uz1hLr2mFvFaKsf9bKFYT5H7IxD4 admin@example.net";

/** What a program may give to `cloudInit`, with values that YAML takes for something else unless they are quoted. */
export const SETTINGS = {
  users: [
    {
      name: "admin",
      sshAuthorizedKeys: [KEY],
      passwordHash: "$6$salt$hash/with.dots",
      groups: ["sudo", "adm"],
      sudo: "ALL=(ALL) NOPASSWD:ALL",
      shell: "/bin/bash",
    },
    { name: "guest" },
  ],
  sshAuthorizedKeys: [KEY],
  userData: {
    packages: ["nginx"],
    locale: "no",
    runcmd: [["echo", "Grüße: @all #1"]],
    write_files: [{ path: "/etc/motd", permissions: "0644", content: "Hello: 'you'\n  \"and\" you\n" }],
  },
};

export const NETWORK = {
  ethernets: {
    eth0: {
      addresses: ["10.0.0.11/24"],
      routes: [{ to: "0.0.0.0/0", via: "10.0.0.1" }],
      nameservers: { addresses: ["10.0.0.2"], search: ["example.net"] },
    },
  },
};
