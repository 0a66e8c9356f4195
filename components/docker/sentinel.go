package docker

import (
	"crypto/sha1"
	_ "embed"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// The names of the replicated Redis. replicaHost and the Sentinels' are the containers' own;
// redisHost is an alias, see postgresHost.
const (
	replicaHost   = "redis-replica"
	sentinelPort  = 26379
	sentinelCount = 3
	// SentinelMaster is the name under which the Sentinels know the servers.
	SentinelMaster = "morphee"
)

var (
	//go:embed files/redis-start.sh
	redisStartScript string
	//go:embed files/redis-health.sh
	redisHealthScript string
	//go:embed files/sentinel-start.sh
	sentinelStartScript string
)

// SentinelArgs make Redis survive the loss of a container.
type SentinelArgs struct {
	// Limits bound each of the three Sentinels; 32 MiB and 256 processes or more.
	Limits Limits
}

// newSentinels runs two servers, of which one follows the other, and three Sentinels, of which two
// must agree that the first is gone before they promote the second.
//
// Each container waits for the one before it: replica, first server, Sentinel by Sentinel. A change
// therefore replaces them one at a time, the replica first and only then, when it has the data
// again, the first server; the Sentinels always have a majority.
//
// All are on one host: this is against crashed and replaced containers, not against the loss of
// the host.
func newSentinels(ctx *pulumi.Context, name string, args *RedisArgs, password pulumi.StringOutput, c *Redis) error {
	replica, err := NewService(ctx, name+"-replica", args.node(replicaHost, redisHost, password, nil), pulumi.Parent(c))
	if err != nil {
		return err
	}
	first := args.node(redisHost, replicaHost, password, []pulumi.Resource{replica.Container})
	first.ContainerName, first.Aliases = "redis", []string{redisHost}
	if c.Service, err = NewService(ctx, name+"-service", first, pulumi.Parent(c)); err != nil {
		return err
	}
	c.Ready = c.Service.Container
	for n := 1; n <= sentinelCount; n++ {
		s, err := NewService(ctx, fmt.Sprintf("%s-sentinel-%d", name, n), args.sentinel(n, password, c.Ready), pulumi.Parent(c))
		if err != nil {
			return err
		}
		c.Ready = s.Container
	}
	return nil
}

// node is one of the two servers.
func (a *RedisArgs) node(self, peer string, password pulumi.StringOutput, after []pulumi.Resource) *ServiceArgs {
	return &ServiceArgs{
		Platform:      a.Platform,
		ContainerName: self,
		Image:         a.Image,
		Limits:        a.Limits,
		Entrypoint:    []string{"sh"},
		Command:       []string{FilePath("redis-start.sh")},
		Env: plainEnv(map[string]string{
			"SELF": self, "PEER": peer, "PRIMARY": redisHost, "SENTINELS": strings.Join(sentinelAddresses(0), " "), "NAME": SentinelMaster,
		}),
		Files: []File{
			{Name: "redis.conf", Content: nodeConf(self, redisPort, a.dataMiB(), password)},
			{Name: "redis-password", Content: password},
			{Name: "redis-start.sh", Content: pulumi.String(redisStartScript)},
			{Name: "redis-health.sh", Content: pulumi.String(redisHealthScript)},
		},
		TmpfsMiB: map[string]int{"/data": 1},
		User:     "redis",
		Healthcheck: Healthcheck{
			Test:     []string{"CMD", "sh", FilePath("redis-health.sh")},
			Interval: 5 * time.Second, Timeout: 5 * time.Second, StartPeriod: 60 * time.Second, Retries: 5,
		},
		Data:  true,
		After: after,
	}
}

// nodeConf is a server's configuration. Containers get new addresses, so everybody is known by
// name; and nothing is ever written to disk, so the replica is sent its data directly.
func nodeConf(self string, port, dataMiB int, password pulumi.StringOutput) pulumi.StringOutput {
	return pulumi.Sprintf(redisConf+`masterauth %s
replica-announce-ip %s
replica-announce-port %d
repl-diskless-sync yes
repl-diskless-sync-delay 0
repl-diskless-load on-empty-db
repl-backlog-size 8mb
`, port, dataMiB, password, password, self, port)
}

// sentinel is one of the three.
func (a *RedisArgs) sentinel(n int, password pulumi.StringOutput, after pulumi.Resource) *ServiceArgs {
	self := sentinelHost(n)
	return &ServiceArgs{
		Platform:      a.Platform,
		ContainerName: self,
		Image:         a.Image,
		Limits:        a.Sentinel.Limits,
		Entrypoint:    []string{"sh"},
		Command:       []string{FilePath("sentinel-start.sh")},
		Env: plainEnv(map[string]string{
			"NODES": redisHost + " " + replicaHost, "SENTINELS": strings.Join(sentinelAddresses(n), " "), "NAME": SentinelMaster,
		}),
		Files: []File{
			{Name: "sentinel.conf", Content: sentinelConf(n, self, sentinelPort, redisHost, redisPort, password)},
			{Name: "redis-password", Content: password},
			{Name: "sentinel-start.sh", Content: pulumi.String(sentinelStartScript)},
		},
		TmpfsMiB: map[string]int{"/data": 1},
		User:     "redis",
		Healthcheck: Healthcheck{
			Test: []string{"CMD-SHELL", fmt.Sprintf(
				`REDISCLI_AUTH="$(cat %s)" redis-cli -p %d sentinel master %s | grep -q flags`, FilePath("redis-password"), sentinelPort, SentinelMaster)},
			Interval: 5 * time.Second, Timeout: 5 * time.Second, StartPeriod: 30 * time.Second, Retries: 5,
		},
		Data:  true,
		After: []pulumi.Resource{after},
	}
}

// sentinelConf is a Sentinel's configuration. Its id follows from its name: with a new one after
// every restart the others would count ever more Sentinels, until no majority could be had. Each is
// half a second more patient than the one before it: when all notice at once, each votes for itself.
func sentinelConf(n int, self string, port int, primary string, primaryPort int, password pulumi.StringOutput) pulumi.StringOutput {
	id := sha1.Sum([]byte(self))
	return pulumi.Sprintf(`port %d
dir /tmp
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip %s
sentinel announce-port %d
sentinel myid %s
requirepass %s
sentinel sentinel-pass %s
sentinel monitor %s %s %d 2
sentinel auth-pass %s %s
sentinel down-after-milliseconds %s %d
sentinel failover-timeout %s 5000
sentinel parallel-syncs %s 1
`, port, self, port, hex.EncodeToString(id[:]), password, password,
		SentinelMaster, primary, primaryPort, SentinelMaster, password, SentinelMaster, 2500+500*n, SentinelMaster, SentinelMaster)
}

func sentinelHost(n int) string { return fmt.Sprintf("redis-sentinel-%d", n) }

// sentinelAddresses are all Sentinels' but one's.
func sentinelAddresses(but int) []string {
	var out []string
	for n := 1; n <= sentinelCount; n++ {
		if n != but {
			out = append(out, fmt.Sprintf("%s:%d", sentinelHost(n), sentinelPort))
		}
	}
	return out
}

// sentinelURL is how the backend finds the primary.
func sentinelURL(password pulumi.StringOutput) pulumi.StringOutput {
	return pulumi.ToSecret(pulumi.Sprintf("redis+sentinel://:%s@%s/%s/0", password, strings.Join(sentinelAddresses(0), ","), SentinelMaster)).(pulumi.StringOutput)
}

// ForgejoURL is how Forgejo finds the primary, in its own form; each use has a database of its
// own, 1 to 15. A secret. Only with Sentinels.
func (c *Redis) ForgejoURL(database int) pulumi.StringOutput {
	hosts := sentinelAddresses(0)
	// The other addresses are a parameter: not every parser of URLs takes several hosts.
	return pulumi.ToSecret(pulumi.Sprintf("redis+sentinel://:%s@%s/%d?addrs=%s&mastername=%s&sentinelpassword=%s",
		c.Password, hosts[0], database, strings.Join(hosts[1:], ","), SentinelMaster, c.Password)).(pulumi.StringOutput)
}
