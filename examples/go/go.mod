module example

go 1.25

require (
	github.com/pulumi/pulumi-xen/sdk/go/xen v0.0.0
	github.com/pulumi/pulumi/sdk/v3 v3.230.0
)

replace github.com/pulumi/pulumi-xen/sdk/go/xen => ./sdks/xen
