package docker

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// backendHost is the first container's name, and a name in the networks that leads to all of them.
const backendHost = "backend"

// newReplicas runs the backend's containers: the first as one container alone is run, under the
// same names, and the others beside it.
//
// Each waits for the one before it, from the last replica down to the first, and is only replaced
// once that one is healthy again: Pulumi finishes a resource before it begins with one that
// depends on it. As every replacement is "stop, then start", one container at a time is down and
// the others serve. That the first container comes last keeps the service up where their number
// changes, too: from one to two, the second is up before the first is replaced; from two to one,
// the second goes at the very end, as all deletions do.
//
// They share the data volumes. Sessions are in Redis and repositories in Forgejo, so it does not
// matter which of them answers, but a browser's WebSockets stay with one (see Route.Sticky).
func newReplicas(ctx *pulumi.Context, name string, service ServiceArgs, args *BackendArgs, parent pulumi.Resource) (*Service, error) {
	if args.Replicas > 1 {
		service.Route = &Route{Name: backendHost, Host: args.Host, Port: args.Port, Shared: true, HealthPath: args.HealthPath}
	}
	after := service.After
	for n := args.Replicas; n >= 2; n-- {
		replica := service
		replica.ContainerName = fmt.Sprintf("%s-%d", backendHost, n)
		replica.Aliases = []string{backendHost}
		replica.After = after
		s, err := NewService(ctx, fmt.Sprintf("%s-replica-%d", name, n), &replica, pulumi.Parent(parent))
		if err != nil {
			return nil, err
		}
		after = append(service.After[:len(service.After):len(service.After)], s.Container)
	}
	service.After = after
	return NewService(ctx, name+"-service", &service, pulumi.Parent(parent))
}
