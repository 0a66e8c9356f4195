package docker

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/morphee-app/morphee-infra/internal/testtools"
)

// runningRelay is the relay's Nginx as it is deployed, with its configuration. Only what must differ
// on a machine without Docker is replaced: ports, the resolver and its 30 s, scratch files, the CAs.
type runningRelay struct {
	t            *testing.T
	port, health int
	upstreamPort int
	dir          string
	client       *http.Client
}

// newRelayRun reserves the ports of a relay.
func newRelayRun(t *testing.T) *runningRelay {
	t.Helper()
	// Not t.TempDir, which is root's own: Nginx runs as nobody.
	dir, err := os.MkdirTemp("", "relay")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r := &runningRelay{t: t, port: testtools.FreePort(t, "127.0.0.1"), health: testtools.FreePort(t, "127.0.0.1"), upstreamPort: testtools.FreePort(t, "127.0.0.1"), dir: dir}
	r.client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		DialContext: (&net.Dialer{}).DialContext, MaxIdleConnsPerHost: 4,
	}}
	t.Cleanup(r.client.CloseIdleConnections)
	return r
}

// forward starts a relay to a name that resolver knows.
func (r *runningRelay) forward(resolver *names, ca *authority) {
	r.t.Helper()
	args := relayArgs(nil, RelayForward)
	args.IdleTimeoutSeconds = 3600
	roots := filepath.Join(r.dir, "roots.pem")
	if err := os.WriteFile(roots, ca.root, 0o644); err != nil {
		r.t.Fatal(err)
	}
	r.start(args, map[string]string{
		"resolver 127.0.0.11 valid=30s":      fmt.Sprintf("resolver 127.0.0.1:%d valid=1s", resolver.port),
		"proxy_pass https://$upstream:443;":  fmt.Sprintf("proxy_pass https://$upstream:%d;", r.upstreamPort),
		"/etc/ssl/certs/ca-certificates.crt": roots,
	})
}

func (r *runningRelay) start(args *RelayArgs, changes map[string]string) {
	r.t.Helper()
	scratch := filepath.Join(r.dir, "scratch")
	all := map[string]string{
		fmt.Sprintf("listen %d", relayPort):                 fmt.Sprintf("listen 127.0.0.1:%d", r.port),
		fmt.Sprintf("listen 127.0.0.1:%d", relayHealthPort): fmt.Sprintf("listen 127.0.0.1:%d", r.health),
		"/tmp/": scratch + "/",
	}
	for k, v := range changes {
		all[k] = v
	}
	conf := known(r.t, args.config())
	var pairs []string
	for _, old := range sortedKeys(all) {
		if !strings.Contains(conf, old) {
			r.t.Fatalf("the configuration has no %q", old)
		}
		pairs = append(pairs, old, all[old])
	}
	conf = strings.NewReplacer(pairs...).Replace(conf)
	file := filepath.Join(r.dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Mkdir(scratch, 0o755); err != nil {
		r.t.Fatal(err)
	}
	cmd := exec.Command(testtools.Need(r.t, "nginx", "nginx-light|nginx"), "-e", "stderr", "-c", file)
	if os.Geteuid() == 0 {
		// Never as root, like the container.
		if err := os.Chown(scratch, 65534, 65534); err != nil {
			r.t.Fatal(err)
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait(); close(ended) }()
	r.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		if r.t.Failed() {
			r.t.Logf("nginx:\n%s\n%s", &log, conf)
		}
	})
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		res, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", r.health))
		if err == nil {
			res.Body.Close()
			if res.StatusCode != http.StatusOK {
				r.t.Fatalf("the health check answers %s", res.Status)
			}
			return
		}
		select {
		case err := <-ended:
			r.t.Fatalf("nginx does not start: %v", err)
		default:
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("nginx does not become healthy: %v", err)
		}
	}
}

// request is one as Traefik sends it.
func (r *runningRelay) request(method, host, target string, body io.Reader) *http.Request {
	r.t.Helper()
	req, err := http.NewRequest(method, fmt.Sprintf("http://127.0.0.1:%d%s", r.port, target), body)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Host = host
	req.Header.Set("X-Forwarded-For", "203.0.113.9")
	req.Header.Set("X-Forwarded-Proto", "https")
	return req
}

func (r *runningRelay) do(req *http.Request) (*http.Response, string) {
	r.t.Helper()
	res, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res, string(body)
}

func (r *runningRelay) upstream(ip string) string { return fmt.Sprintf("%s:%d", ip, r.upstreamPort) }

func TestRelayForwardsRequests(t *testing.T) {
	ca, relay := newAuthority(t), newRelayRun(t)
	dns := newNames(t, "127.0.0.1")
	serveTLS(t, relay.upstream("127.0.0.1"), ca.certificate("*.example.com"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := r.Header
		fmt.Fprintf(w, "%s %s host=%s sni=%s for=%s proto=%s auth=%s connection=%s", r.Method, r.RequestURI, r.Host, r.TLS.ServerName,
			h.Get("X-Forwarded-For"), strings.Join(h.Values("X-Forwarded-Proto"), ";"), h.Get("Authorization"), h.Get("Connection"))
	}))
	relay.forward(dns, ca)
	for _, host := range []string{"api.example.com", "git.example.com"} {
		req := relay.request("GET", host, "/", nil)
		// As it came: escapes, double slashes and dots are the other side's to understand.
		req.URL.Opaque = "/a%2Fb//c/../d?x=1%20&y"
		req.Header.Set("Authorization", "Bearer t")
		res, body := relay.do(req)
		want := "GET /a%2Fb//c/../d?x=1%20&y host=" + host + " sni=" + host + " for=203.0.113.9, 127.0.0.1 proto=https auth=Bearer t connection="
		if res.StatusCode != 200 || strings.TrimSuffix(body, "close") != want {
			t.Errorf("%s\n%s\nwant\n%s", res.Status, body, want)
		}
	}
	if !dns.wasAsked("alb.example.net.") {
		t.Error("the upstream's name was not looked up")
	}
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "REPORT"} {
		if _, body := relay.do(relay.request(method, "api.example.com", "/x", nil)); !strings.HasPrefix(body, method+" /x ") {
			t.Errorf("%s became %s", method, body)
		}
	}
	if res, _ := relay.do(relay.request("GET", "other.example.com", "/", nil)); res.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("a name that is not the relay's: %s", res.Status)
	}
}

func TestRelayForwardsWebSockets(t *testing.T) {
	ca, relay := newAuthority(t), newRelayRun(t)
	serveTLS(t, relay.upstream("127.0.0.1"), ca.certificate("api.example.com"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "websocket" || !strings.EqualFold(r.Header.Get("Connection"), "upgrade") {
			http.Error(w, "no upgrade", http.StatusBadRequest)
			return
		}
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_, _ = io.Copy(conn, rw) // an echo
	}))
	relay.forward(newNames(t, "127.0.0.1"), ca)
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", relay.port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprint(conn, "GET /ws HTTP/1.1\r\nHost: api.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("the upgrade is answered %s", res.Status)
	}
	for _, frame := range []string{"\x81\x05first", "\x81\x06second"} {
		fmt.Fprint(conn, frame)
		got := make([]byte, len(frame))
		if _, err := io.ReadFull(in, got); err != nil || string(got) != frame {
			t.Fatalf("sent %q, got %q: %v", frame, got, err)
		}
	}
}

// TestRelayStreams sends 20 MiB each way, the second half of each only when the other side has seen
// the first: nothing on the way can have waited for the whole.
func TestRelayStreams(t *testing.T) {
	const half = 10 << 20
	ca, relay := newAuthority(t), newRelayRun(t)
	data := bytes.Repeat([]byte("0123456789abcdef"), 2*half/16)
	sum := fmt.Sprintf("%x", sha256.Sum256(data))
	arrived, seen := make(chan struct{}), make(chan struct{})
	serveTLS(t, relay.upstream("127.0.0.1"), ca.certificate("git.example.com"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "GET" {
			_, _ = w.Write(data[:half])
			w.(http.Flusher).Flush()
			select {
			case <-seen:
			case <-r.Context().Done():
				return
			}
			_, _ = w.Write(data[half:])
			return
		}
		h := sha256.New()
		if _, err := io.CopyN(h, r.Body, half); err != nil {
			t.Error(err)
		}
		close(arrived)
		n, _ := io.Copy(h, r.Body)
		fmt.Fprintf(w, "%d %x", half+n, h.Sum(nil))
	}))
	relay.forward(newNames(t, "127.0.0.1"), ca)

	body, feed := io.Pipe()
	go func() {
		_, _ = feed.Write(data[:half])
		select {
		case <-arrived:
			_, _ = feed.Write(data[half:])
			feed.Close()
		case <-time.After(20 * time.Second):
			feed.CloseWithError(fmt.Errorf("the first half of the upload did not arrive"))
		}
	}()
	if res, got := relay.do(relay.request("POST", "git.example.com", "/a/git-receive-pack", body)); got != fmt.Sprintf("%d %s", 2*half, sum) {
		t.Errorf("upload: %s %s, want all 20 MiB", res.Status, got)
	}

	res, err := relay.client.Do(relay.request("GET", "git.example.com", "/a/big", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	h := sha256.New()
	if _, err := io.CopyN(h, res.Body, half); err != nil {
		t.Fatalf("the first half of the download did not arrive: %v", err)
	}
	close(seen)
	n, err := io.Copy(h, res.Body)
	if got := fmt.Sprintf("%x", h.Sum(nil)); err != nil || n != half || got != sum {
		t.Errorf("download: %d bytes after the first half, %v", n, err)
	}
	_ = filepath.WalkDir(filepath.Join(relay.dir, "scratch"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != "nginx.pid" {
			t.Errorf("%s was written", path)
		}
		return nil
	})
}

func TestRelayRefusesOtherCertificates(t *testing.T) {
	ca := newAuthority(t)
	for what, cert := range map[string]struct {
		by    *authority
		names []string
		want  int
	}{
		"the right one":          {ca, []string{"api.example.com"}, 200},
		"of another name":        {ca, []string{"auth.example.com"}, 502},
		"of the upstream's name": {ca, []string{"alb.example.net"}, 502},
		"of another authority":   {newAuthority(t), []string{"api.example.com"}, 502},
	} {
		t.Run(strings.ReplaceAll(what, " ", "-"), func(t *testing.T) {
			relay, reached := newRelayRun(t), atomic.Int32{}
			serveTLS(t, relay.upstream("127.0.0.1"), cert.by.certificate(cert.names...), http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
			relay.forward(newNames(t, "127.0.0.1"), ca)
			res, _ := relay.do(relay.request("POST", "api.example.com", "/secret", strings.NewReader("secret")))
			if res.StatusCode != cert.want || (reached.Load() == 1) != (cert.want == 200) {
				t.Errorf("%s, and %d requests reached the other side; want %d", res.Status, reached.Load(), cert.want)
			}
		})
	}
}

func TestRelayFollowsAddresses(t *testing.T) {
	ca, relay, cert := newAuthority(t), newRelayRun(t), "api.example.com"
	for _, ip := range []string{"127.0.0.2", "127.0.0.3"} {
		serveTLS(t, relay.upstream(ip), ca.certificate(cert), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, ip) }))
	}
	dns := newNames(t, "127.0.0.2")
	relay.forward(dns, ca)
	if _, got := relay.do(relay.request("GET", cert, "/", nil)); got != "127.0.0.2" {
		t.Fatalf("answered by %q", got)
	}
	dns.are("127.0.0.3")
	deadline, got := time.Now().Add(15*time.Second), ""
	for got != "127.0.0.3" {
		if time.Now().After(deadline) {
			t.Fatalf("still answered by %q", got)
		}
		time.Sleep(100 * time.Millisecond)
		_, got = relay.do(relay.request("GET", cert, "/", nil))
	}
	// An address where nobody listens is passed over, whatever the method.
	dns.are("127.0.0.4", "127.0.0.3")
	time.Sleep(2200 * time.Millisecond) // answers are kept for a second, counted in whole ones
	for range 10 {
		if res, got := relay.do(relay.request("POST", cert, "/", strings.NewReader("x"))); got != "127.0.0.3" {
			t.Fatalf("%s %s", res.Status, got)
		}
	}
}

// TestRelaySendsOnce: what is not idempotent is not sent to the second address when the first took
// it and broke off.
func TestRelaySendsOnce(t *testing.T) {
	ca, relay, times := newAuthority(t), newRelayRun(t), atomic.Int32{}
	for _, ip := range []string{"127.0.0.2", "127.0.0.3"} {
		serveTLS(t, relay.upstream(ip), ca.certificate("api.example.com"), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			times.Add(1)
			panic(http.ErrAbortHandler)
		}))
	}
	relay.forward(newNames(t, "127.0.0.2", "127.0.0.3"), ca)
	for _, send := range []struct{ method, body string }{{"POST", ""}, {"POST", "x"}, {"PATCH", ""}, {"PATCH", "x"}} {
		times.Store(0)
		res, _ := relay.do(relay.request(send.method, "api.example.com", "/", strings.NewReader(send.body)))
		if res.StatusCode != http.StatusBadGateway || times.Load() != 1 {
			t.Errorf("%s %q: %s, sent %d times", send.method, send.body, res.Status, times.Load())
		}
	}
}

func TestRelayRefusesWrites(t *testing.T) {
	relay := newRelayRun(t)
	args := relayArgs(nil, RelayFreeze)
	args.IdleTimeoutSeconds = 3600
	relay.start(args, nil)
	for _, send := range []struct {
		method, host, target string
		size                 int
	}{
		{"POST", "api.example.com", "/v1/things", 10},
		{"POST", "api.example.com", "/v1/files", 5 << 20},
		{"DELETE", "api.example.com", "/v1/things/1", 0},
		{"GET", "git.example.com", "/a/b.git/info/refs?service=git-receive-pack", 0},
	} {
		req := relay.request(send.method, send.host, send.target, bytes.NewReader(make([]byte, send.size)))
		req.Header.Set("Origin", "https://app.example.com")
		res, body := relay.do(req)
		for k, want := range map[string]string{
			"Retry-After": "60", "Content-Type": "application/json", "Cache-Control": "no-store", "Vary": "Origin",
			"Access-Control-Allow-Origin": "https://app.example.com", "Access-Control-Allow-Credentials": "true", "Access-Control-Expose-Headers": "Retry-After",
		} {
			if got := res.Header.Get(k); got != want {
				t.Errorf("%s %s: %s: %q, want %q", send.method, send.target, k, got, want)
			}
		}
		if res.StatusCode != http.StatusServiceUnavailable || !strings.HasPrefix(body, `{"error":"read_only"`) || !strings.HasSuffix(body, "}\n") {
			t.Errorf("%s %s: %s %s", send.method, send.target, res.Status, body)
		}
	}
	if strings.Contains(known(t, (&RelayArgs{Mode: RelayFreeze, IdleTimeoutSeconds: 60}).config()), "Access-Control") {
		t.Error("no web application, but headers for one")
	}
}
