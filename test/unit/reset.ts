import { configure } from "../../provider/lifecycle/connection";

// Files of tests share their workers: each begins without a configuration, as a process does.
configure({ get: () => undefined, require: () => "" });
