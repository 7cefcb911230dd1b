import pulumi
import pulumi_xen as xen

config = pulumi.Config()

init = xen.cloud_init_output(
    hostname=config.require("hostname"),
    users=[
        # The fields of a user have their names of the schema: Pulumi does not translate those of a function.
        {
            "name": "admin",
            "passwordHash": config.require_secret("passwordHash"),
            "sudo": "ALL=(ALL) NOPASSWD:ALL",
        }
    ],
)
seed = xen.TempIso("seed", files=init.files)
cd = xen.IsoAttachment("cd", vm_uuid=config.require("vmUuid"), vdi_uuid=seed.vdi_uuid)

pulumi.export("srUuid", seed.sr_uuid)
pulumi.export("vdiUuid", seed.vdi_uuid)
pulumi.export("device", cd.device)
