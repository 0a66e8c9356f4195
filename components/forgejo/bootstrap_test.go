package forgejo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/testtools"
)

// fakeDocker stands for `docker exec`: curl is the real one, sent to the test's server, and
// forgejo's command line is the server's /cli. Every argument is written down.
const fakeDocker = `#!/bin/sh
echo "$@" >>"$TEST_DIR/argv"
shift
input=/dev/null
if [ "$1" = -i ]; then shift; input=/dev/stdin; fi
shift
if [ "$1" = curl ]; then
  shift
  last=
  for a in "$@"; do last=$a; done
  if [ "$last" = - ]; then sed "s,http://127.0.0.1:3000,$TEST_URL," <"$input" | curl "$@"; exit $?; fi
  exec curl --silent --fail --output /dev/null "$(echo "$last" | sed "s,http://127.0.0.1:3000,$TEST_URL,")"
fi
shift
exec curl --silent --show-error --fail --data "$*" "$TEST_URL/cli"
`

// fakeForgejo is as much of Forgejo as the script uses.
type fakeForgejo struct {
	user     string
	password string
	tokens   map[string]string // name -> value
	scopes   map[string]string // value -> scopes
	made     int
}

func (f *fakeForgejo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := make([]byte, max(r.ContentLength, 0))
	_, _ = r.Body.Read(body)
	switch {
	case r.URL.Path == "/api/v1/version":
	case r.URL.Path == "/cli":
		f.cli(w, strings.Fields(string(body)))
	case r.Method == "PATCH" && r.URL.Path == "/api/v1/admin/users/"+f.user:
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "token ")
		var in struct{ Password string }
		if f.scopes[token] != "write:admin" || json.Unmarshal(body, &in) != nil {
			http.Error(w, "refused: "+string(body), http.StatusForbidden)
			return
		}
		f.password = in.Password
	case strings.HasPrefix(r.URL.Path, "/api/v1/users/"+f.user+"/tokens"):
		if u, p, _ := r.BasicAuth(); u != f.user || p != f.password {
			http.Error(w, "refused", http.StatusUnauthorized)
			return
		}
		name := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/api/v1/users/"+f.user+"/tokens"), "/")
		if r.Method == "DELETE" {
			delete(f.tokens, name)
			return
		}
		var list []map[string]string
		for n := range f.tokens {
			list = append(list, map[string]string{"name": n})
		}
		_ = json.NewEncoder(w).Encode(list)
	default:
		http.NotFound(w, r)
	}
}

func (f *fakeForgejo) cli(w http.ResponseWriter, args []string) {
	flag := func(name string) string {
		if i := slices.Index(args, name); i >= 0 && i+1 < len(args) {
			return args[i+1]
		}
		return ""
	}
	switch args[4] { // --config FILE admin user VERB
	case "list":
		fmt.Fprintln(w, "ID   Username   Email   IsActive")
		if f.user != "" {
			fmt.Fprintf(w, "1    %s    a@b    true\n", f.user)
		}
	case "create":
		if f.user != "" {
			http.Error(w, "user already exists", http.StatusConflict)
			return
		}
		f.user, f.password = flag("--username"), "random"
	case "generate-access-token":
		name := flag("--token-name")
		if _, ok := f.tokens[name]; ok {
			http.Error(w, "access token name has been used already", http.StatusConflict)
			return
		}
		f.made++
		f.tokens[name] = fmt.Sprintf("token%d", f.made)
		f.scopes[f.tokens[name]] = flag("--scopes")
		fmt.Fprintln(w, f.tokens[name])
	default:
		http.Error(w, "unexpected: "+strings.Join(args, " "), http.StatusBadRequest)
	}
}

func TestBootstrapScript(t *testing.T) {
	testtools.Need(t, "curl", "curl")
	f := &fakeForgejo{tokens: map[string]string{"mine": "kept"}, scopes: map[string]string{}}
	server := httptest.NewServer(f)
	defer server.Close()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "docker"), []byte(fakeDocker), 0o755); err != nil {
		t.Fatal(err)
	}
	run := func(password string) string {
		t.Helper()
		cmd := exec.Command("sh", "-c", "container=forgejo user=morphee-admin email=a@b.c scopes=write:repository\n"+bootstrapScript)
		cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "TEST_DIR="+dir, "TEST_URL="+server.URL)
		cmd.Stdin = strings.NewReader(password + "\n")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, stderr.String())
		}
		return string(out)
	}

	first := run("CANARYone1")
	if f.user != "morphee-admin" || f.password != "CANARYone1" {
		t.Errorf("administrator is %q with %q", f.user, f.password)
	}
	if f.scopes[first] != "write:repository" {
		t.Errorf("token %q has scopes %q", first, f.scopes[first])
	}
	// Tokens are named after the second: make the first one older than it is.
	for name, value := range f.tokens {
		if value == first {
			delete(f.tokens, name)
			f.tokens["infra-api-20200101000000"] = value
		}
	}
	second := run("CANARYtwo2")
	if f.password != "CANARYtwo2" {
		t.Errorf("password after the second run is %q", f.password)
	}
	if second == first {
		t.Errorf("second run gave the first run's token")
	}
	if len(f.tokens) != 2 || f.tokens["mine"] != "kept" {
		t.Errorf("tokens left: %v, want the new one and the one that is not ours", f.tokens)
	}
	argv, err := os.ReadFile(filepath.Join(dir, "argv"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"CANARY", first, "token1"} {
		if strings.Contains(string(argv), secret) {
			t.Errorf("%q is on a command line:\n%s", secret, argv)
		}
	}
}

func TestBootstrapShellcheck(t *testing.T) {
	shellcheck := testtools.Need(t, "shellcheck", "shellcheck")
	if out, err := exec.Command(shellcheck, "files/bootstrap.sh").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
