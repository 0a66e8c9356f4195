package ops

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/morphee-app/morphee-infra/internal/testtools"
)

func samplePostgresHost() PostgresHost {
	boot := sample().Boot
	boot.Hostname = "morphee-dev-database"
	return PostgresHost{boot}
}

func samplePostgres() PostgresServer {
	return PostgresServer{
		Name: "morphee-dev-database", PrivateIP: "127.0.0.2", NetworkCIDR: "127.0.0.0/8", MemoryMiB: 1024, MaxConnections: 40,
		ArchiveTimeoutSeconds: 60, RetentionDays: 30, BackupTime: "02:15", Pooler: true, DiskPercent: 100,
	}
}

// placedFiles are the files of a document by path.
func placedFiles(t *testing.T, document string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(document), "\n") {
		f := strings.SplitN(line, " ", 4)
		if len(f) != 4 {
			t.Fatalf("not a line of a document: %q", line)
		}
		content, err := base64.StdEncoding.DecodeString(f[3])
		if err != nil {
			t.Fatal(err)
		}
		out[f[0]] = string(content)
	}
	return out
}

func TestPostgresUserDataPassesCloudInitsSchema(t *testing.T) {
	t.Parallel()
	cloudInit := testtools.Need(t, "cloud-init", "cloud-init")
	out, err := samplePostgresHost().Render()
	if err != nil {
		t.Fatal(err)
	}
	path := write(t, filepath.Join(t.TempDir(), "user-data.yaml"), out, 0o644)
	if said, err := run(t, "", nil, cloudInit, "schema", "--config-file", path); err != nil || !strings.Contains(said, "Valid") {
		t.Errorf("%v\n%s", err, said)
	}
	for _, want := range []string{`VOLUME_ID="1234567"`, "disable_root: true", "AllowUsers morphee", "AssertPathIsMountPoint=/srv/data", "create_main_cluster = false"} {
		if !strings.Contains(out, want) {
			t.Errorf("user data lacks %s", want)
		}
	}
	if again, _ := samplePostgresHost().Render(); again != out {
		t.Error("two renderings differ")
	}
	big := samplePostgresHost()
	for range 200 {
		big.AuthorizedKeys = append(big.AuthorizedKeys, "ssh-rsa "+strings.Repeat("A", 200))
	}
	if _, err := big.Render(); err == nil || !strings.Contains(err.Error(), "Hetzner takes 32768") {
		t.Errorf("got %v, want an error about the size", err)
	}
}

// Units that systemd would refuse are found here, not on the server.
func TestPostgresUnitsAreValid(t *testing.T) {
	t.Parallel()
	document, err := samplePostgres().Document(PostgresSecrets{})
	if err != nil {
		t.Fatal(err)
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		analyze = testtools.Need(t, "systemd-analyze", "systemd")
	}
	n := 0
	for path, content := range placedFiles(t, document) {
		if !strings.HasSuffix(path, ".timer") {
			continue
		}
		for _, line := range strings.Split(content, "\n") {
			if when, ok := strings.CutPrefix(line, "OnCalendar="); ok {
				n++
				if out, err := run(t, "", nil, analyze, "calendar", when); err != nil {
					t.Errorf("%s: %q: %v\n%s", path, when, err, out)
				}
			}
		}
	}
	if n != 2 {
		t.Errorf("%d calendars, want 2", n)
	}
}

func TestPostgresDocument(t *testing.T) {
	t.Parallel()
	secrets := PostgresSecrets{
		SuperuserPassword: "CANARYsuper", ServerKey: "CANARYkey", ServerCert: "CERT", CipherPass: "CANARYcipher",
		Repository: R2Repository("https://x.r2.cloudflarestorage.com", "auto", "bucket", "CANARYid", "CANARYsecret"), WebhookURL: "https://CANARYhook",
	}
	s := samplePostgres()
	s.PrivateIP, s.NetworkCIDR = "10.10.1.11", "10.10.0.0/16"
	document, err := s.Document(secrets)
	if err != nil {
		t.Fatal(err)
	}
	files := placedFiles(t, document)
	modes := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(document), "\n") {
		f := strings.Fields(line)
		modes[f[0]] = f[1]
	}
	for path, content := range files {
		// What holds a secret is closed to others, and no unit or script holds one.
		if strings.Contains(content, "CANARY") && !strings.HasSuffix(modes[path], "0") {
			t.Errorf("%s has a secret and mode %s", path, modes[path])
		}
	}
	for path, wants := range map[string][]string{
		"/etc/postgresql/15/main/conf.d/60-morphee.conf": {"listen_addresses = '10.10.1.11,127.0.0.1'", "ssl = on", "archive_mode = on", "archive_timeout = '60s'", "shared_buffers = '256MB'", "scram-sha-256"},
		"/etc/postgresql/15/main/pg_hba.conf":            {"hostssl all   all        10.10.0.0/16", "all                          reject"},
		"/etc/pgbouncer/pgbouncer.ini":                   {"listen_addr = 10.10.1.11", "client_tls_sslmode = require", "pool_mode = session"},
		"/etc/pgbackrest.conf":                           {"repo1-s3-endpoint = x.r2.cloudflarestorage.com", "repo1-s3-uri-style = path", "repo1-cipher-type = aes-256-cbc", "repo1-retention-full = 30"},
		"/etc/systemd/system/morphee-backup-full.timer":  {"OnCalendar=Sun *-*-* 02:15:00 UTC", "Persistent=true"},

		// A server that reboots serves again by itself, whenever its private address comes.
		"/etc/sysctl.d/60-morphee.conf":                           {"\nnet.ipv4.ip_nonlocal_bind = 1\n"},
		"/etc/systemd/system/pgbouncer.service.d/10-restart.conf": {"[Service]\nRestart=always\nRestartSec=2\n", "StartLimitIntervalSec=0"},
	} {
		for _, want := range wants {
			if !strings.Contains(files[path], want) {
				t.Errorf("%s lacks %q:\n%s", path, want, files[path])
			}
		}
	}
	if strings.Contains(files["/etc/postgresql/15/main/pg_hba.conf"], "trust") || strings.Contains(files["/etc/postgresql/15/main/pg_hba.conf"], "\nhost    all   all  10") {
		t.Error("somebody gets in without TLS or a password")
	}
	if s.Pooler = false; placedFiles(t, must(s.Document(secrets)))["/etc/morphee/pooler"] != "off" {
		t.Error("the pooler is on all the same")
	}
}

func must(s string, err error) string {
	if err != nil {
		panic(err)
	}
	return s
}

// configure runs configure.sh with stand-ins for everything that would touch the machine.
func configure(t *testing.T, root, document string) (string, string, error) {
	t.Helper()
	bin := t.TempDir()
	calls := filepath.Join(t.TempDir(), "calls")
	stand := "#!/bin/bash\necho \"$(basename \"$0\") $*\" >>" + calls + "\n"
	for name, body := range map[string]string{
		"systemctl": "", "sysctl": "", "chown": "", "install": "", "mountpoint": "",
		// As the real one: it refuses to make what is configured already.
		"pg_createcluster": `conf=$ROOT/etc/postgresql/$1/$2/postgresql.conf; [ ! -e "$conf" ] || exit 1; mkdir -p "${conf%/*}" "$4"; echo x >"$conf"; echo 15 >"$4/PG_VERSION"`,
		"runuser":          `shift 3; case "$1" in psql) cat >>` + calls + `;; pgbackrest) case "$*" in *info*) echo '[{"backup":[]}]';; esac;; esac`,
	} {
		write(t, filepath.Join(bin, name), stand+body+"\n", 0o755)
	}
	cmd := exec.Command("bash", "-c", PostgresConfigureScript)
	cmd.Env = append(os.Environ(), "ROOT="+root, "PATH="+bin+":"+os.Getenv("PATH"))
	cmd.Stdin = strings.NewReader(document)
	out, err := cmd.CombinedOutput()
	log, _ := os.ReadFile(calls)
	return string(out), string(log), err
}

func TestPostgresConfigureScript(t *testing.T) {
	t.Parallel()
	testtools.Need(t, "jq", "jq")
	root := t.TempDir()
	document := must(samplePostgres().Document(PostgresSecrets{SuperuserPassword: "CANARYsuper", ServerKey: "k", ServerCert: "c", CipherPass: "p"}))
	out, calls, err := configure(t, root, document)
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, calls)
	}
	// The network brings the private address late: both listen on it all the same.
	order := []string{"pg_createcluster 15 main -d " + root + "/srv/data/postgresql/15/main -- --data-checksums", "sysctl -q -p " + root + "/etc/sysctl.d/60-morphee.conf", "systemctl daemon-reload", "systemctl restart postgresql@15-main", "ALTER ROLE postgres PASSWORD", "stanza-create", "main --log-level-console=warn check",
		"enable --now morphee-backup-full.timer", "start --no-block morphee-backup-full.service", "systemctl restart pgbouncer"}
	at := 0
	for _, want := range order {
		i := strings.Index(calls[at:], want)
		if i < 0 {
			t.Fatalf("%q does not come after what is before it:\n%s", want, calls)
		}
		at += i
	}
	for _, line := range strings.Split(calls, "\n") {
		if strings.Contains(line, "CANARY") && !strings.HasPrefix(line, "ALTER ROLE") || strings.Contains(out, "CANARY") {
			t.Errorf("a secret is on a command line or in the output: %s %s", line, out)
		}
	}
	for path, content := range placedFiles(t, document) {
		got, err := os.ReadFile(root + path)
		if err != nil || string(got) != content {
			t.Errorf("%s: %v, or not what was sent", path, err)
		}
	}
	if info, err := os.Stat(root + "/etc/morphee/ssl/server.key"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key: %v %v", info, err)
	}
	// The same again changes nothing, and stops nothing.
	if out, calls, err = configure(t, root, document); err != nil || strings.Contains(calls, "restart") && !strings.Contains(calls, "is-active") {
		t.Errorf("the second run: %v\n%s\n%s", err, out, calls)
	}
	if strings.Contains(calls, "systemctl restart") {
		t.Errorf("the second run restarts:\n%s", calls)
	}
	if strings.Contains(calls, "pg_createcluster") {
		t.Errorf("the second run makes a cluster:\n%s", calls)
	}
	// A new volume on the same server is as a first one, and a volume with data on a new server is taken on.
	for folder, want := range map[string]string{"/srv/data/postgresql": "/main -- --data-checksums", "/etc/postgresql": "/main\n"} {
		if err := os.RemoveAll(root + folder); err != nil {
			t.Fatal(err)
		}
		if out, calls, err = configure(t, root, document); err != nil || !strings.Contains(calls, "pg_createcluster 15 main -d "+root+"/srv/data/postgresql/15"+want) {
			t.Errorf("without %s: %v\n%s\n%s", folder, err, out, calls)
		}
		if _, err := os.Stat(root + "/etc/postgresql/15/main/conf.d/60-morphee.conf"); err != nil || !strings.Contains(calls, "systemctl restart postgresql@15-main") {
			t.Errorf("without %s: %v, or no restart:\n%s", folder, err, calls)
		}
	}
}

// database is a real PostgreSQL 15 with our configuration, an archive on the local disk and a pooler.
type database struct {
	t             *testing.T
	dir, bin      string
	as            *syscall.SysProcAttr
	port, pooler  int
	serverRunning bool
}

// certificates makes an authority and the server's certificate for its address.
func certificates(t *testing.T, ip string) (ca, cert, key string) {
	t.Helper()
	block := func(kind string, b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	caKey, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	serverKey, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	authority := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	caDER, err := x509.CreateCertificate(rand.Reader, authority, authority, &caKey.PublicKey, caKey)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "db"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.ParseIP(ip)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, leaf, authority, &serverKey.PublicKey, caKey)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, _ := x509.MarshalPKCS8PrivateKey(serverKey)
	return block("CERTIFICATE", caDER), block("CERTIFICATE", der), block("PRIVATE KEY", keyDER)
}

func newDatabase(t *testing.T) *database {
	t.Helper()
	initdb, err := filepath.EvalSymlinks(testtools.Need(t, "initdb", "postgresql-15"))
	if err != nil {
		t.Fatal(err)
	}
	testtools.Need(t, "pgbackrest", "pgbackrest")
	testtools.Need(t, "pgbouncer", "pgbouncer")
	dir, err := os.MkdirTemp("/tmp", "pitr")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	d := &database{t: t, dir: dir, bin: filepath.Dir(initdb), port: testtools.FreePort(t, "127.0.0.2"), pooler: testtools.FreePort(t, "127.0.0.2")}
	ca, cert, key := certificates(t, "127.0.0.2")
	files := placedFiles(t, must(samplePostgres().Document(PostgresSecrets{
		SuperuserPassword: "super", ServerKey: key, ServerCert: cert, CipherPass: strings.Repeat("c", 32), Repository: "repo1-type = posix\n",
	})))
	// The files as they are shipped, but for the places.
	moved := strings.NewReplacer(
		"/etc/morphee/ssl/", dir+"/", "/srv/data/postgresql/15/main", dir+"/data", "/srv/data/pgbackrest-spool", dir+"/spool",
		"repo1-path = /pitr", "repo1-path = "+dir+"/repo\nlog-path = "+dir+"\nlock-path = "+dir+"/lock", "pgbackrest --stanza", "pgbackrest --config="+dir+"/pgbackrest.conf --stanza",
		"[main]\n", "[main]\npg1-socket-path = "+dir+"\npg1-port = "+strconv.Itoa(d.port)+"\n",
		"port = 5432", "port = "+strconv.Itoa(d.port), "listen_port = 6432", "listen_port = "+strconv.Itoa(d.pooler), "port=5432", "port="+strconv.Itoa(d.port),
		"host=/var/run/postgresql", "host="+dir, "/var/run/postgresql/pgbouncer.pid", dir+"/pgbouncer.pid", "/var/log/postgresql/", dir+"/", "/etc/pgbouncer/", dir+"/",
	)
	for name, path := range map[string]string{
		"60-morphee.conf": "/etc/postgresql/15/main/conf.d/60-morphee.conf", "pg_hba.conf": "/etc/postgresql/15/main/pg_hba.conf", "pgbouncer.ini": "/etc/pgbouncer/pgbouncer.ini",
		"userlist.txt": "/etc/pgbouncer/userlist.txt", "pgbackrest.conf": "/etc/pgbackrest.conf", "server.key": "/etc/morphee/ssl/server.key", "server.crt": "/etc/morphee/ssl/server.crt",
	} {
		if files[path] == "" {
			t.Fatalf("%s is not in the document", path)
		}
		write(t, filepath.Join(dir, name), moved.Replace(files[path]), 0o600)
	}
	write(t, filepath.Join(dir, "ca.crt"), ca, 0o644)
	for _, sub := range []string{"spool", "repo", "lock"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	d.as = testtools.AsPostgres(t, dir)
	d.do("initdb", "-D", dir+"/data", "-U", "postgres", "--auth-local=peer", "--auth-host=scram-sha-256", "--data-checksums", "--no-sync")
	conf, err := os.OpenFile(dir+"/data/postgresql.conf", os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conf, "include '%s/60-morphee.conf'\nhba_file = '%s/pg_hba.conf'\nunix_socket_directories = '%s'\nfsync = off\n", dir, dir, dir)
	if err := conf.Close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if d.serverRunning {
			d.stop("immediate")
		}
	})
	d.start()
	return d
}

func (d *database) start() {
	d.do("pg_ctl", "-D", d.dir+"/data", "-w", "-t", "60", "-l", d.dir+"/log", "start")
	d.serverRunning = true
}

func (d *database) stop(mode string) {
	d.do("pg_ctl", "-D", d.dir+"/data", "-w", "-m", mode, "stop")
	d.serverRunning = false
}

func (d *database) command(program string, args ...string) *exec.Cmd {
	if path := filepath.Join(d.bin, program); program != "pgbackrest" {
		if _, err := os.Stat(path); err == nil {
			program = path
		}
	}
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.SysProcAttr = "/", d.as
	cmd.Env = append(os.Environ(), "PGHOST="+d.dir, "PGPORT="+strconv.Itoa(d.port), "PGBACKREST_CONFIG="+d.dir+"/pgbackrest.conf")
	return cmd
}

func (d *database) do(program string, args ...string) string {
	d.t.Helper()
	out, err := os.CreateTemp(d.t.TempDir(), "out") // the server keeps it open after pg_ctl has ended
	if err != nil {
		d.t.Fatal(err)
	}
	defer out.Close()
	cmd := d.command(program, args...)
	cmd.Stdout, cmd.Stderr = out, out
	err = cmd.Run()
	text, _ := os.ReadFile(out.Name())
	if err != nil {
		log, _ := os.ReadFile(d.dir + "/log")
		d.t.Fatalf("%s %v: %v\n%s\n%s", program, args, err, text, log)
	}
	return strings.TrimSpace(string(text))
}

func (d *database) sql(db, text string) string {
	d.t.Helper()
	return d.do("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", db, "-c", text)
}

// remote connects over the network, as services do.
func (d *database) remote(port int, role, password, options string) (string, error) {
	cmd := exec.Command(filepath.Join(d.bin, "psql"), "-XAtq", "-c", "select current_user",
		fmt.Sprintf("postgres://%s:%s@127.0.0.2:%d/morphee?%s", role, password, port, options))
	cmd.Env = append(os.Environ(), "PGCONNECT_TIMEOUT=5")
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// What the server is given works on the real programs: TLS and passwords for everybody, the pooler with
// PostgreSQL's own passwords, and a restore to a moment before a mistake.
func TestPostgresServerForReal(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.sql("postgres", "create role morphee login password 'app'")
	d.sql("postgres", "create database morphee owner morphee")

	pooler := d.command(testtools.Need(t, "pgbouncer", "pgbouncer"), d.dir+"/pgbouncer.ini")
	if err := pooler.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pooler.Process.Kill(); _ = pooler.Wait() })
	full := "sslmode=verify-full&sslrootcert=" + d.dir + "/ca.crt"
	if err := os.Chmod(d.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for what, port := range map[string]int{"PostgreSQL": d.port, "PgBouncer": d.pooler} {
		var got string
		var err error
		for range 50 {
			if got, err = d.remote(port, "morphee", "app", full); err == nil {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if err != nil || got != "morphee" {
			t.Errorf("%s: %q, %v", what, got, err)
		}
		for how, try := range map[string][2]string{"a wrong password": {"wrong", full}, "no TLS": {"app", "sslmode=disable"}} {
			if got, err := d.remote(port, "morphee", try[0], try[1]); err == nil {
				t.Errorf("%s takes %s: %s", what, how, got)
			}
		}
	}

	d.do("pgbackrest", "--stanza=main", "stanza-create")
	d.do("pgbackrest", "--stanza=main", "check")
	d.do("pgbackrest", "--stanza=main", "--type=full", "backup")
	time.Sleep(1100 * time.Millisecond) // a backup ends at a full second, and only then is there a moment after it
	d.sql("morphee", "create table kept (i int); insert into kept values (7)")
	tooEarly := d.moment()
	d.sql("morphee", "insert into kept values (8)")
	right := d.moment()
	d.sql("morphee", "drop table kept")
	d.sql("morphee", "select pg_switch_wal()")
	d.archived()
	archiveHealth(t, d)

	_ = pooler.Process.Kill()
	first, again := runbookRestores(t)
	d.restore(first(tooEarly)...)
	if got := d.sql("morphee", "select string_agg(i::text, ',') from kept"); got != "7" {
		t.Errorf("after the restore the table holds %q", got)
	}
	// What came after that moment is not lost, whatever has happened in the new history.
	d.sql("morphee", "insert into kept values (9)")
	d.do("pgbackrest", "--stanza=main", "--type=full", "backup")
	d.restore(again(right)...)
	if got := d.sql("morphee", "select string_agg(i::text, ',' order by i) from kept"); got != "7,8" {
		t.Errorf("after the restore to a later moment the table holds %q", got)
	}
	// A lost volume: everything up to the last of the log comes back to an empty one.
	d.do("pgbackrest", "--stanza=main", "--type=full", "backup")
	d.sql("morphee", "insert into kept values (10)")
	d.sql("morphee", "select pg_switch_wal()")
	d.archived()
	d.stop("immediate")
	for _, folder := range []string{"data", "spool"} {
		d.do("rm", "-r", d.dir+"/"+folder)
		d.do("install", "-d", "-m", "0700", d.dir+"/"+folder)
	}
	d.restore("--stanza=main", "restore")
	if got := d.sql("morphee", "select string_agg(i::text, ',' order by i) from kept"); got != "7,8,10" {
		t.Errorf("after the restore to a new volume the table holds %q", got)
	}
	// What is in the archive cannot be read without the key.
	found := false
	err := filepath.Walk(d.dir+"/repo", func(p string, info os.FileInfo, err error) error {
		if err == nil && strings.HasSuffix(p, "backup.manifest") {
			data, readErr := os.ReadFile(p)
			found = true
			if readErr != nil || !strings.HasPrefix(string(data), "Salted__") {
				t.Errorf("%s is not encrypted: %.20q %v", p, data, readErr)
			}
		}
		return err
	})
	if err != nil || !found {
		t.Errorf("no manifest in the archive: %v", err)
	}
}

// moment is a moment to restore to: after what was done, and before what is done next.
func (d *database) moment() string {
	d.t.Helper()
	at := d.sql("morphee", "select pg_switch_wal() is not null, clock_timestamp() + '0.5 s'::interval")
	time.Sleep(time.Second)
	return at[strings.Index(at, "|")+1:]
}

// archived waits until the archive has all of the log.
func (d *database) archived() {
	d.t.Helper()
	waitFor(d.t, "the log is in the archive", func() bool {
		return d.sql("postgres", "select count(*) from pg_ls_archive_statusdir() where name like '%.ready'") == "0"
	})
}

// restore stops the server when it runs, restores it with these arguments of pgbackrest, and waits until it leads.
func (d *database) restore(args ...string) {
	d.t.Helper()
	if d.serverRunning {
		d.stop("fast")
	}
	d.do("pgbackrest", args...)
	d.start()
	waitFor(d.t, "the server leads again", func() bool { return d.sql("postgres", "select pg_is_in_recovery()") == "f" })
}

// runbookRestores are the restores to a moment as the runbook writes them: the first, and one that
// repeats it with another moment.
func runbookRestores(t *testing.T) (first, again func(moment string) []string) {
	t.Helper()
	page, err := os.ReadFile("runbooks/restore-database-server.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(page), "\\\n", " ")
	var found []func(string) []string
	for _, m := range regexp.MustCompile(`(?m)^ +sudo -u postgres pgbackrest (.*--type=time.*)--target='[^']+'(.*)$`).FindAllStringSubmatch(text, -1) {
		found = append(found, func(moment string) []string {
			return append(append(strings.Fields(m[1]), "--target="+moment), strings.Fields(m[2])...)
		})
	}
	if len(found) != 2 {
		t.Fatalf("%d restores to a moment in the runbook, want the first and the repetition", len(found))
	}
	return found[0], found[1]
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 600 { // machines that run other tests as well are slow
		if ok() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("not within a minute: %s", what)
}

// archiveHealth lets the archive fail and come back, and reads what people are told.
func archiveHealth(t *testing.T, d *database) {
	t.Helper()
	testtools.Need(t, "jq", "jq")
	var mu sync.Mutex
	var told []string
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		told = append(told, string(body))
	}))
	defer hook.Close()
	root := t.TempDir()
	for p := root; p != "/tmp"; p = filepath.Dir(p) {
		_ = os.Chmod(p, 0o755)
	}
	write(t, root+"/etc/morphee/webhook-url", hook.URL+"/CANARYhook", 0o644)
	write(t, root+"/etc/morphee/archive-health.env", placedFiles(t, must(samplePostgres().Document(PostgresSecrets{})))["/etc/morphee/archive-health.env"], 0o644)
	if err := os.MkdirAll(root+"/var/lib/morphee-archive", 0o777); err != nil {
		t.Fatal(err)
	}
	_ = os.Chmod(root+"/var/lib/morphee-archive", 0o777)
	script := placedFiles(t, must(samplePostgres().Document(PostgresSecrets{})))["/usr/local/sbin/morphee-archive-health"]
	check := func() (string, error) {
		cmd := d.command("bash", "-c", script)
		cmd.Env = append(cmd.Env, "ROOT="+root, "DATA_PATH="+d.dir)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := check(); err != nil {
		t.Errorf("a healthy archive: %v\n%s", err, out)
	}
	if len(told) != 0 {
		t.Errorf("people were told of nothing: %v", told)
	}
	if err := os.Rename(d.dir+"/repo", d.dir+"/repo.away"); err != nil {
		t.Fatal(err)
	}
	write(t, d.dir+"/repo", "", 0o600)
	d.sql("morphee", "create table later (i int); select pg_switch_wal()")
	waitFor(t, "archiving fails", func() bool { return d.sql("postgres", "select failed_count > 0 from pg_stat_archiver") == "t" })
	for range 2 {
		if out, err := check(); err == nil || !strings.Contains(out, "archiving the log fails") || strings.Contains(out, "CANARY") {
			t.Errorf("a broken archive: %v\n%s", err, out)
		}
	}
	if err := os.Remove(d.dir + "/repo"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(d.dir+"/repo.away", d.dir+"/repo"); err != nil {
		t.Fatal(err)
	}
	d.sql("morphee", "select pg_switch_wal()")
	waitFor(t, "archiving works again", func() bool {
		return d.sql("postgres", "select last_archived_time > last_failed_time from pg_stat_archiver") == "t" &&
			d.sql("postgres", "select count(*) from pg_ls_archive_statusdir() where name like '%.ready'") == "0"
	})
	if out, err := check(); err != nil {
		t.Errorf("a mended archive: %v\n%s", err, out)
	}
	if len(told) != 2 || !strings.Contains(told[0], `"state":"failed"`) || !strings.Contains(told[0], "archiving the log fails") || !strings.Contains(told[1], `"state":"recovered"`) {
		t.Errorf("people were told %v, want one failure and one recovery", told)
	}
}
