import { expect, test } from "vitest";
import { neonInitFilesOf } from "../../../provider/iso/neon-init";

test("the script has the line ends of Linux", () => {
  expect(neonInitFilesOf((toUnix) => toUnix("#!/bin/bash\r\ntrue\n"))).toEqual({
    "neon-init.sh": "#!/bin/bash\ntrue\n",
  });
});
