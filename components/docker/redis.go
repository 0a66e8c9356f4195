package docker

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

// RedisType is the type token of Redis.
const RedisType = "morphee:docker:Redis"

const (
	redisHost = "morphee-redis" // see postgresHost
	redisPort = 6379
)

// RedisArgs are the arguments of NewRedis.
type RedisArgs struct {
	// Platform is the host's common part.
	Platform *Platform
	// Image is pinned.
	Image string
	// Limits bound the container. Four fifths of the memory are for data, which must leave room
	// for the alarm at AlarmMiB.
	Limits Limits
	// AlarmMiB is the memory in use at which people are told, in MiB.
	AlarmMiB int
	// Sentinel, when not nil, adds a replica and three Sentinels; see newSentinels. Replaces the
	// container.
	Sentinel *SentinelArgs
}

// Redis holds sessions, rate limits and messages in passing. Nothing in it has to survive, so
// nothing is written to disk.
type Redis struct {
	pulumi.ResourceState

	// Host and Port in the data network.
	Host pulumi.StringOutput
	Port int
	// Password; a secret.
	Password pulumi.StringOutput
	// URL with the password, a secret. With Sentinels it names them, in the form
	// redis+sentinel://:PASSWORD@HOST:PORT,…/NAME/0: who asks one of them is told which server is
	// the primary. The Sentinels want the same password.
	URL pulumi.StringOutput
	// Ready is there when all of it answers; depend on it.
	Ready pulumi.Resource
	// Service is the container.
	Service *Service
}

// NewRedis runs the server.
func NewRedis(ctx *pulumi.Context, name string, args *RedisArgs, opts ...pulumi.ResourceOption) (*Redis, error) {
	if err := args.validate(name); err != nil {
		return nil, err
	}
	c := &Redis{Port: redisPort}
	if err := ctx.RegisterComponentResourceV2(RedisType, name, nil, c, opts...); err != nil {
		return nil, err
	}
	password, err := args.Platform.newPassword(ctx, name+"-password", 48, c)
	if err != nil {
		return nil, err
	}
	if args.Sentinel != nil {
		err = newSentinels(ctx, name, args, password, c)
	} else {
		c.Service, err = NewService(ctx, name+"-service", args.alone(password), pulumi.Parent(c))
	}
	if err != nil {
		return nil, err
	}
	if c.Ready == nil {
		c.Ready = c.Service.Container
	}
	c.Host = pulumi.String(redisHost).ToStringOutput()
	c.Password = password
	c.URL = pulumi.ToSecret(pulumi.Sprintf("redis://:%s@%s:%d/0", password, redisHost, redisPort)).(pulumi.StringOutput)
	if args.Sentinel != nil {
		c.URL = sentinelURL(password)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"host": c.Host, "port": pulumi.Int(c.Port), "password": c.Password,
	})
}

// alone is the server without a replica.
func (a *RedisArgs) alone(password pulumi.StringOutput) *ServiceArgs {
	return &ServiceArgs{
		Platform:      a.Platform,
		ContainerName: "redis",
		Aliases:       []string{redisHost},
		Image:         a.Image,
		Limits:        a.Limits,
		Command:       []string{"redis-server", FilePath("redis.conf")},
		Files: []File{
			{Name: "redis.conf", Content: pulumi.Sprintf(redisConf, redisPort, a.dataMiB(), password)},
			{Name: "redis-password", Content: password},
		},
		// The image declares /data a volume; without this each container would leave one behind.
		TmpfsMiB: map[string]int{"/data": 1},
		User:     "redis",
		Healthcheck: Healthcheck{
			Test:     []string{"CMD-SHELL", `REDISCLI_AUTH="$(cat ` + FilePath("redis-password") + `)" redis-cli ping | grep -q PONG`},
			Interval: 10 * time.Second, Timeout: 5 * time.Second, StartPeriod: 5 * time.Second, Retries: 5,
		},
		Data: true,
	}
}

// redisConf takes port, memory for data in MiB, and password. Only keys that expire anyway are
// evicted; the data network is internal, so every address of the container may listen.
const redisConf = `bind * -::*
protected-mode yes
port %d
maxmemory %dmb
maxmemory-policy volatile-lru
appendonly no
save ""
stop-writes-on-bgsave-error no
tcp-keepalive 60
requirepass %s
`

// dataMiB leaves a fifth of the limit to connections, buffers and fragmentation.
func (a *RedisArgs) dataMiB() int { return a.Limits.MemoryMiB * 4 / 5 }

func (a *RedisArgs) validate(name string) error {
	p := base.Check("Redis", name)
	p.Require(a.Platform != nil, "Platform", a.Platform, "the host's platform", "")
	p.Require(a.dataMiB() > a.AlarmMiB, "Limits.MemoryMiB", a.Limits.MemoryMiB,
		fmt.Sprintf("more than %d: four fifths of it are for data, and the alarm at %d MiB has to come before Redis is full", a.AlarmMiB*5/4, a.AlarmMiB),
		"morphee:limits.redis.memoryMiB")
	p.Require(a.Limits.Pids >= sharedUserPids, "Limits.Pids", a.Limits.Pids, wantSharedPids, "morphee:limits.redis.pids")
	if a.Sentinel != nil {
		p.Require(a.Sentinel.Limits.Pids >= sharedUserPids, "Sentinel.Limits.Pids", a.Sentinel.Limits.Pids, wantSharedPids, "morphee:limits.sentinel.pids")
		p.Require(a.Sentinel.Limits.MemoryMiB >= 32, "Sentinel.Limits.MemoryMiB", a.Sentinel.Limits.MemoryMiB, "32 or more", "morphee:limits.sentinel.memoryMiB")
	}
	return p.Err()
}
