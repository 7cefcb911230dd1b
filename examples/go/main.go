package main

import (
	"github.com/pulumi/pulumi-xen/sdk/go/xen"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		init := xen.CloudInitOutput(ctx, xen.CloudInitOutputArgs{
			Hostname: pulumi.String(settings.Require("hostname")),
			Users: xen.CloudInitUserArray{&xen.CloudInitUserArgs{
				Name:         pulumi.String("admin"),
				PasswordHash: settings.RequireSecret("passwordHash"),
				Sudo:         pulumi.String("ALL=(ALL) NOPASSWD:ALL"),
			}},
		})
		files := init.Files().ApplyT(func(texts map[string]string) map[string]any {
			files := map[string]any{}
			for path, text := range texts {
				files[path] = text
			}
			return files
		}).(pulumi.MapOutput)

		seed, err := xen.NewTempIso(ctx, "seed", &xen.TempIsoArgs{Files: files})
		if err != nil {
			return err
		}
		cd, err := xen.NewIsoAttachment(ctx, "cd", &xen.IsoAttachmentArgs{
			VmUuid:  pulumi.String(settings.Require("vmUuid")),
			VdiUuid: seed.VdiUuid,
		})
		if err != nil {
			return err
		}

		ctx.Export("srUuid", seed.SrUuid)
		ctx.Export("vdiUuid", seed.VdiUuid)
		ctx.Export("device", cd.Device)
		return nil
	})
}
