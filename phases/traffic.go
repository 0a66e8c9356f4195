package phases

import (
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/aws"
	"github.com/morphee-app/morphee-infra/components/docker"
	"github.com/morphee-app/morphee-infra/components/forgejo"
	"github.com/morphee-app/morphee-infra/internal/config"
)

// Moving is the server and AWS in one stack, while traffic and data move from one to the other. Both
// have the names that they have alone, so that nothing is replaced where a move begins or ends. What
// belongs to the product and not to a platform is there once: the shared secrets, Forgejo's credentials,
// the bucket of the backups, the public names.
//
// Two databases are never both written. While the server's data counts, nobody is sent to AWS; from
// the moment that AWS's counts, the server has only a relay, which passes on what still comes there.
// So the share of the traffic that each of them gets is free of what is stored where.
func Moving(ctx *pulumi.Context, in Input) (pulumi.Map, error) {
	s := &server{ctx: ctx, in: in, cfg: in.Config}
	// What is confirmed to go loses its protection one step before it goes.
	s.cfg.Disposable = in.Config.Disposable || in.Config.Migration.Retire.State == config.StateRetiring
	a := newRegion(ctx, in)
	a.beside = s
	m := move{s, a}
	serverOutputs, err := s.compose(
		s.shared, s.machine, s.data, s.managedDatabase, s.gitServer,
		m.shared, a.account, a.keys, a.network, a.registry, a.files, a.database, a.cache, a.secretValues, a.entrance,
		s.signIn, s.forgejo, s.app, m.bucket, s.backups,
		a.cluster, a.forgejo, a.signIn, a.backend, m.relay, a.site, a.names, m.names, a.backups, a.deployRole, a.alarms,
	)
	if err != nil {
		return nil, err
	}
	if m := in.Config.Migration; m.Copy != "" {
		to := "server"
		if m.OnAWS() {
			to = "aws"
		}
		// The next change is held against it: see internal/safety.
		a.outputs["dataCopy"] = pulumi.String(m.Copy + " to " + to)
	}
	maps.Copy(serverOutputs, a.outputs)
	return serverOutputs, nil
}

// move is a stack with both platforms, while it is being composed.
type move struct {
	server *server
	aws    *region
}

// platformServer tells the records of the server apart from those of AWS.
const platformServer = "vps"

// authWrites are links in GoTrue's mails, which write although they are opened with a GET.
var authWrites = []string{"/verify", "/callback", "/authorize"}

// frozen tells the backend that it may not write for now.
var frozen = map[string]string{"WRITE_MODE": "frozen", "DATABASE_READ_ONLY": "true"}

// shared hands on what both platforms use.
func (m move) shared() error {
	credentials, err := m.server.forgejoCredentials()
	m.aws.product, m.aws.gitSecret = m.server.secrets, credentials
	return err
}

// bucket takes the backups of both: the one writes while its data counts, and either reads what the
// other wrote.
func (m move) bucket() error {
	if !m.server.cfg.Backups.Enabled {
		return nil
	}
	bucket, err := m.aws.exportBucket()
	m.server.bucket = bucket
	return err
}

// relay answers on the server for what has stopped there, or refuses what writes.
func (m move) relay() error {
	c, s := m.server.cfg, m.server
	if !c.Relays() {
		return nil
	}
	args := &docker.RelayArgs{
		Platform: s.platform, Image: c.Images.Relay, Limits: limits(c.Limits.Relay), Mode: docker.RelayFreeze, AppHost: c.Hosts.App,
		Hosts:              map[string]docker.RelayHost{"api": {Host: c.Hosts.API}, "auth": {Host: c.Hosts.Auth, WritePaths: authWrites}},
		IdleTimeoutSeconds: c.AWS.LoadBalancer.IdleTimeoutSeconds,
	}
	if c.Migration.OnAWS() {
		args.Mode, args.Upstream = docker.RelayForward, m.aws.alb.DnsName
		// On the way there the services are up first; on the way back the relay is gone before the load
		// balancer lets anybody write again.
		args.After = append([]pulumi.Resource{m.aws.app, m.aws.gotrue}, m.aws.alb.Frozen...)
	}
	if c.Forgejo.Enabled {
		args.Hosts["git"] = docker.RelayHost{Host: c.Hosts.Git, Git: true}
		if args.Mode == docker.RelayForward {
			args.After = append(args.After, m.aws.gitReady)
		}
	}
	// Under a name for each mode: the one that refuses writes only goes when the other is up.
	_, err := docker.NewRelay(s.ctx, "relay-"+string(args.Mode), args, pulumi.Parent(s.platform))
	return err
}

// names lead straight to the server, or into the zone with the weights.
func (m move) names() error {
	s := m.server
	records, err := s.addresses()
	if err != nil {
		return err
	}
	if s.cfg.Migration.Weighted() {
		return m.aws.publicNames()
	}
	_, err = publicNames(s.ctx, s.in, m.aws.zoneID, s.hosts(), []pulumi.Resource{records})
	return err
}

// hostCheck is what a public name answers when it is well.
func hostCheck(c config.Config, host string) string {
	return map[string]string{c.Hosts.App: "/", c.Hosts.API: c.Backend.HealthPath, c.Hosts.Auth: "/health", c.Hosts.Git: forgejo.HealthPath}[host]
}

// besides are the targets of a public name other than AWS: the server, as long as it is not about to
// be retired.
func (r *region) besides(host string) []aws.EdgeTarget {
	c := r.cfg
	if r.beside == nil || c.Migration.Retire.State != config.StateNone {
		return nil
	}
	t := aws.EdgeTarget{Identifier: platformServer, Weight: 100 - c.Migration.AWSWeight, Address: r.beside.host.PublicIP, CheckPath: hostCheck(c, host)}
	if c.Server.IPv6 {
		t.AddressV6 = r.beside.host.PublicIPv6
	}
	return []aws.EdgeTarget{t}
}

// tasks is how many tasks run of a service that writes; nil leaves it as it is.
func (r *region) tasks(n int) *int {
	if r.beside != nil && r.cfg.Migration.Writes == config.WritesServerFrozen {
		n = 0 // the last copy is being brought in
		return &n
	}
	return r.all.tasks(r, n)
}

// refusesWrites says whether the load balancer lets nobody write: while the data is being taken to the
// server, and for as long as the server's data counts. Where the names lead does not matter: after they
// were taken back, resolvers remember AWS's address for a while. Only a trial is let through, which the
// configuration allows before anybody was sent here.
func (r *region) refusesWrites() bool {
	m := r.cfg.Migration
	return r.beside != nil && (m.Writes == config.WritesAWSFrozen || !m.OnAWS() && !m.Trial)
}

// callsOut says whether Forgejo's webhooks may call public hosts: while its data counts and is written.
// On a copy they have the addresses and the secret of the real ones, and would tell the product of
// pushes that never were.
func (r *region) callsOut() bool {
	return r.beside == nil || r.cfg.Migration.Writes == config.WritesAWS
}

// exports says whether the daily export runs here: where the data counts.
func (r *region) exports() bool {
	return r.writes() && (r.beside == nil || r.cfg.Migration.OnAWS())
}
