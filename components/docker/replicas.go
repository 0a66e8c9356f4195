package docker

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	// backendHost is the first container's name, and a name in the networks that leads to all of them.
	backendHost = "backend"
	// maxReplicas of a service on one host.
	maxReplicas = 4
)

// newReplicas runs a service's containers: the first as one container alone is run, under the same
// names, and the others beside it.
//
// Each waits for the one before it, from the last replica down to the first, and is only replaced
// once that one is healthy again: Pulumi finishes a resource before it begins with one that
// depends on it. As every replacement is "stop, then start", one container at a time is down and
// the others serve. That the first container comes last keeps the service up where their number
// changes, too: from one to two, the second is up before the first is replaced; from two to one,
// the second goes at the very end, as all deletions do.
//
// The backend's share the data volumes. Sessions are in Redis and repositories in Forgejo, so it does
// not matter which of them answers, but a browser's WebSockets stay with one (see Route.Shared).
func newReplicas(ctx *pulumi.Context, name string, service ServiceArgs, replicas int, healthPath string, parent pulumi.Resource) (*Service, error) {
	host := service.ContainerName
	if replicas > 1 {
		shared := *service.Route
		shared.Shared, shared.HealthPath = true, healthPath
		service.Route = &shared
	}
	after := service.After
	for n := replicas; n >= 2; n-- {
		replica := service
		replica.ContainerName = fmt.Sprintf("%s-%d", host, n)
		replica.Aliases = []string{host}
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
