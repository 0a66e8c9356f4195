package testtools

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// PostgresOptions are what a test wants of its own PostgreSQL server.
type PostgresOptions struct {
	// Superuser that the server is made with; default postgres. Password is required.
	Superuser, Password string
	// Settings such as "max_connections=20".
	Settings []string
	// TCP listens on localhost too, on Postgres.Port.
	TCP bool
	// Files are put into Postgres.Dir, readable by the server alone: certificates, for instance.
	Files map[string]string
	// HBA are the lines of pg_hba.conf; default: everybody with a password.
	HBA string
}

// Postgres is a server of a test's own, with a socket in Dir. It ends with the test.
type Postgres struct {
	Dir, Bin string // Bin has the server's programs
	Port     int

	t       testing.TB
	options PostgresOptions
	as      *syscall.SysProcAttr
	running bool
}

// StartPostgres makes and starts a server. Root runs it as the user postgres: it refuses root.
func StartPostgres(t testing.TB, o PostgresOptions) *Postgres {
	t.Helper()
	if o.Superuser == "" {
		o.Superuser = "postgres"
	}
	initdb, err := filepath.EvalSymlinks(Need(t, "initdb", "postgresql-15|postgresql"))
	if err != nil {
		t.Fatal(err)
	}
	// Short, because a socket's path may have no more than 107 letters.
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &Postgres{t: t, Dir: dir, Port: 5432, options: o, Bin: filepath.Dir(initdb)}
	if o.TCP {
		p.Port = FreePort(t, "127.0.0.1")
	}
	files := map[string]string{"password": o.Password}
	for name, content := range o.Files {
		files[name] = content
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.as = AsPostgres(t, dir)
	p.do("initdb", "-D", dir+"/data", "-U", o.Superuser, "--auth=scram-sha-256", "--pwfile="+dir+"/password", "--no-sync", "-E", "UTF8", "--locale=C")
	if o.HBA != "" {
		if err := os.WriteFile(dir+"/data/pg_hba.conf", []byte(o.HBA), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// Programs of other users connect too.
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	p.Start()
	t.Cleanup(func() {
		if p.running {
			p.Stop()
		}
	})
	return p
}

// FreePort is a TCP port of the address that nobody listens on now.
func FreePort(t testing.TB, address string) int {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// AsPostgres gives a folder to the user postgres where the test runs as root, whom the server refuses,
// and returns who the server's programs are to run as.
func AsPostgres(t testing.TB, dir string) *syscall.SysProcAttr {
	t.Helper()
	if os.Geteuid() != 0 {
		return &syscall.SysProcAttr{}
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := filepath.Walk(dir, func(path string, _ os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, uid, gid)
	}); err != nil {
		t.Fatal(err)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

func (p *Postgres) do(program string, args ...string) {
	p.t.Helper()
	out, err := os.CreateTemp("", "pg-out") // the server keeps it open after pg_ctl has ended
	if err != nil {
		p.t.Fatal(err)
	}
	defer os.Remove(out.Name())
	defer out.Close()
	cmd := exec.Command(filepath.Join(p.Bin, program), args...)
	cmd.Dir, cmd.SysProcAttr, cmd.Stdout, cmd.Stderr = "/", p.as, out, out
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(out.Name())
		log, _ := os.ReadFile(p.Dir + "/log")
		p.t.Fatalf("%s: %v\n%s\n%s", program, err, text, log)
	}
}

// Start starts a server that was stopped.
func (p *Postgres) Start() {
	p.t.Helper()
	listen := "''"
	if p.options.TCP {
		listen = "localhost"
	}
	flags := fmt.Sprintf("-c listen_addresses=%s -p %d -k %s -c fsync=off", listen, p.Port, p.Dir)
	for _, s := range p.options.Settings {
		flags += " -c " + s
	}
	p.do("pg_ctl", "-D", p.Dir+"/data", "-w", "-l", p.Dir+"/log", "-o", flags, "start")
	p.running = true
}

// Stop stops the server at once.
func (p *Postgres) Stop() {
	p.t.Helper()
	p.do("pg_ctl", "-D", p.Dir+"/data", "-w", "-m", "immediate", "stop")
	p.running = false
}

// SQL runs statements as the superuser and returns what they print.
func (p *Postgres) SQL(database, query string) string {
	p.t.Helper()
	out, err := p.SQLAs(p.options.Superuser, p.options.Password, database, query)
	if err != nil {
		p.t.Fatalf("%s in %s: %v\n%s", query, database, err, out)
	}
	return out
}

// SQLAs runs statements as anybody.
func (p *Postgres) SQLAs(role, password, database, query string) (string, error) {
	cmd := exec.Command(filepath.Join(p.Bin, "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", p.Dir, "-p", strconv.Itoa(p.Port), "-U", role, "-d", database, "-f", "-")
	cmd.Dir, cmd.Stdin = "/", strings.NewReader(query)
	cmd.Env = append(os.Environ(), "PGPASSWORD="+password, "PGOPTIONS=")
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}
