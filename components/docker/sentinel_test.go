package docker

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/testtools"
)

// replicated is the whole set as it is deployed, each server a process of its own on the loopback
// address: the same scripts, the same configuration, other ports.
type replicated struct {
	t        *testing.T
	password string
	ports    map[string]int
	running  map[string]*exec.Cmd
	cli      string
}

var replicatedNames = []string{"redis", "replica", "sentinel1", "sentinel2", "sentinel3"}

func newReplicated(t *testing.T) *replicated {
	t.Helper()
	r := &replicated{t: t, password: "correcthorse", ports: map[string]int{}, running: map[string]*exec.Cmd{}}
	testtools.Need(t, "redis-server", "redis-server")
	r.cli = testtools.Need(t, "redis-cli", "redis-tools")
	for _, n := range replicatedNames {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		r.ports[n] = l.Addr().(*net.TCPAddr).Port
		defer l.Close()
	}
	t.Cleanup(func() {
		for n := range r.running {
			r.stop(n)
		}
	})
	return r
}

func (r *replicated) address(name string) string { return fmt.Sprintf("127.0.0.1:%d", r.ports[name]) }

// start begins a server, or begins it anew with nothing of what it knew.
func (r *replicated) start(name string) {
	r.t.Helper()
	dir := r.t.TempDir()
	password := pulumi.String(r.password).ToStringOutput()
	env := []string{"FILES=" + dir, "DATA=" + r.t.TempDir(), "NAME=" + SentinelMaster, "PATH=" + os.Getenv("PATH"), "PROMOTION_WAIT_SECONDS=15"}
	script, file, conf := redisStartScript, "redis.conf", nodeConf("127.0.0.1", r.ports[name], 64, password)
	if strings.HasPrefix(name, "sentinel") {
		script, file = sentinelStartScript, "sentinel.conf"
		conf = sentinelConf(int(name[len(name)-1]-'0'), "127.0.0.1", r.ports[name], "127.0.0.1", r.ports["redis"], password)
		var others []string
		for _, n := range replicatedNames[2:] {
			if n != name {
				others = append(others, r.address(n))
			}
		}
		env = append(env, "NODES="+r.address("redis")+" "+r.address("replica"), "SENTINELS="+strings.Join(others, " "))
	} else {
		peer := map[string]string{"redis": "replica", "replica": "redis"}[name]
		env = append(env, "SELF="+r.address(name), "PEER="+r.address(peer), "PRIMARY="+r.address("redis"),
			"SENTINELS="+r.address("sentinel1")+" "+r.address("sentinel2")+" "+r.address("sentinel3"))
	}
	text := known(r.t, conf)
	if strings.HasPrefix(name, "sentinel") {
		// All are called 127.0.0.1 here, and an id follows from the name.
		text = strings.Replace(text, "sentinel myid ", "sentinel myid "+strings.TrimPrefix(name, "sentinel")+"0000", 1)
		text = trimID(text)
		// Impatient, so that the test is short.
		for n := 1; n <= sentinelCount; n++ {
			text = strings.Replace(text, fmt.Sprintf("down-after-milliseconds %s %d", SentinelMaster, 2500+500*n), fmt.Sprintf("down-after-milliseconds %s %d", SentinelMaster, 700+500*n), 1)
		}
	}
	for f, content := range map[string]string{file: text, "redis-password": r.password, "start.sh": script} {
		if err := os.WriteFile(filepath.Join(dir, f), []byte(content), 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		r.t.Fatal(err)
	}
	cmd := exec.Command("sh", filepath.Join(dir, "start.sh"))
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.Dir = env, log, log, dir
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.running[name] = cmd
	r.t.Cleanup(func() {
		if r.t.Failed() {
			data, _ := os.ReadFile(log.Name())
			r.t.Logf("%s:\n%s", name, data)
		}
		log.Close()
	})
}

// trimID keeps the first 40 characters of the id.
func trimID(conf string) string {
	lines := strings.Split(conf, "\n")
	for i, l := range lines {
		if id, ok := strings.CutPrefix(l, "sentinel myid "); ok {
			lines[i] = "sentinel myid " + id[:40]
		}
	}
	return strings.Join(lines, "\n")
}

func (r *replicated) stop(name string) {
	if cmd := r.running[name]; cmd != nil {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		delete(r.running, name)
	}
}

// crash ends a server without a word.
func (r *replicated) crash(name string) {
	_ = r.running[name].Process.Kill()
	_ = r.running[name].Wait()
	delete(r.running, name)
}

func (r *replicated) ask(name string, args ...string) string {
	cmd := exec.Command(r.cli, append([]string{"--no-auth-warning", "-h", "127.0.0.1", "-p", strconv.Itoa(r.ports[name])}, args...)...)
	cmd.Env = append(os.Environ(), "REDISCLI_AUTH="+r.password)
	out, _ := cmd.CombinedOutput()
	return strings.TrimSpace(string(out))
}

func (r *replicated) healthy(name string) bool {
	dir := r.t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "redis-password"), []byte(r.password), 0o600); err != nil {
		r.t.Fatal(err)
	}
	peer := map[string]string{"redis": "replica", "replica": "redis"}[name]
	cmd := exec.Command("sh", "-c", redisHealthScript)
	cmd.Env = append(os.Environ(), "FILES="+dir, "PORT="+strconv.Itoa(r.ports[name]), "PEER="+r.address(peer))
	return cmd.Run() == nil
}

// until waits for a condition.
func (r *replicated) until(what string, ok func() bool) {
	r.t.Helper()
	began := time.Now()
	for end := began.Add(15 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if ok() {
			r.t.Logf("%5.1f s: %s", time.Since(began).Seconds(), what)
			return
		}
	}
	r.t.Fatalf("not within 15 s: %s", what)
}

// primary is what every Sentinel that runs says, or nothing when they do not agree.
func (r *replicated) primary() string {
	said := ""
	for _, n := range replicatedNames[2:] {
		if r.running[n] == nil {
			continue
		}
		answer := strings.Join(strings.Fields(r.ask(n, "sentinel", "get-master-addr-by-name", SentinelMaster)), ":")
		if said != "" && said != answer {
			return ""
		}
		said = answer
	}
	for _, n := range replicatedNames[:2] {
		if said == r.address(n) {
			return n
		}
	}
	return ""
}

func (r *replicated) settled() bool {
	for _, n := range replicatedNames[2:] {
		state := strings.Fields(r.ask(n, "sentinel", "master", SentinelMaster))
		got := map[string]string{}
		for i := 0; i+1 < len(state); i += 2 {
			got[state[i]] = state[i+1]
		}
		if got["num-other-sentinels"] != "2" || got["num-slaves"] != "1" || got["flags"] != "master" {
			return false
		}
	}
	return true
}

// The real servers with our configuration: the set comes up in the order of the deployment, keeps its
// data when either server is replaced and when the primary crashes, and a Sentinel that is replaced
// is not counted twice.
func TestSentinelsPromoteTheReplica(t *testing.T) {
	t.Parallel()
	r := newReplicated(t)
	r.start("replica")
	r.until("the replica is healthy though alone", func() bool { return r.healthy("replica") })
	r.start("redis")
	r.until("the first server leads", func() bool { return r.healthy("redis") && strings.Contains(r.ask("redis", "role"), "master") })
	r.until("the replica follows", func() bool { return strings.Contains(r.ask("replica", "info", "replication"), "master_link_status:up") })
	for _, n := range replicatedNames[2:] {
		r.start(n)
	}
	r.until("the Sentinels know each other", r.settled)
	if got := r.ask("redis", "set", "session", "kept"); got != "OK" {
		t.Fatal(got)
	}
	r.until("the replica has it", func() bool { return r.ask("replica", "get", "session") == "kept" })

	r.crash("redis")
	r.until("the replica is promoted", func() bool { return r.primary() == "replica" })
	r.start("redis")
	r.until("the first server follows and has everything", func() bool {
		return r.healthy("redis") && strings.Contains(r.ask("redis", "role"), "slave") && r.ask("redis", "get", "session") == "kept"
	})

	r.stop("sentinel1")
	r.start("sentinel1")
	r.until("the Sentinel is back, and counted once", func() bool { return r.primary() == "replica" && r.settled() })

	// As a deployment replaces the primary: gone, and back at once, with nothing in it.
	r.stop("replica")
	r.start("replica")
	r.until("the primary moved and nothing was lost", func() bool {
		return r.primary() == "redis" && r.healthy("replica") && r.ask("redis", "get", "session") == "kept" && r.ask("replica", "get", "session") == "kept"
	})
}

// Whoever does not know the password is told nothing.
func TestSentinelsWantThePassword(t *testing.T) {
	t.Parallel()
	r := newReplicated(t)
	r.start("redis")
	r.until("Redis answers", func() bool { return r.ask("redis", "ping") == "PONG" })
	r.start("sentinel1")
	r.until("the Sentinel answers", func() bool { return r.primary() == "redis" })
	r.password = "wrong"
	for name, args := range map[string][]string{"redis": {"get", "session"}, "sentinel1": {"sentinel", "master", SentinelMaster}} {
		if got := r.ask(name, args...); !strings.Contains(got, "NOAUTH") && !strings.Contains(got, "WRONGPASS") {
			t.Errorf("%s answers %q", name, got)
		}
	}
}

// known is the value of an output that depends on nothing.
func known(t *testing.T, out pulumi.StringOutput) string {
	t.Helper()
	got := make(chan string, 1)
	out.ApplyT(func(s string) string { got <- s; return s })
	select {
	case s := <-got:
		return s
	case <-time.After(5 * time.Second):
		t.Fatal("the value is not known")
		return ""
	}
}
