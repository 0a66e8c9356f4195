package aws

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// versions are the minor versions that RDS offers: for each major version the first and the last.
type versions map[string][2]int

var engines = map[string]versions{
	"postgres":          {"13": {11, 22}, "14": {8, 19}, "15": {2, 14}, "16": {1, 10}, "17": {1, 6}, "18": {1, 1}},
	"aurora-postgresql": {"13": {9, 21}, "14": {6, 18}, "15": {2, 13}, "16": {1, 9}, "17": {4, 5}},
	"mysql":             {"8.0": {35, 43}, "8.4": {3, 6}},
	"mariadb":           {"10.6": {14, 22}, "10.11": {6, 13}, "11.4": {3, 7}, "11.8": {3, 3}},
	"aurora-mysql":      {"8.0": {0, 0}},
}

var auroraMySQL = regexp.MustCompile(`^8\.0\.mysql_aurora\.3\.(0[4-9]|10)\.\d$`)

// splitVersion splits an engine version into major and minor; minor is -1 when it is left out.
func splitVersion(engine, version string) (major string, minor int) {
	parts, depth := strings.Split(version, "."), 1
	if engine == "mysql" || engine == "mariadb" || engine == "aurora-mysql" {
		depth = 2
	}
	if len(parts) <= depth {
		return version, -1
	}
	n, err := strconv.Atoi(strings.Join(parts[depth:], "."))
	if err != nil {
		n = -2
	}
	return strings.Join(parts[:depth], "."), n
}

// actualVersion resolves a version as RDS does: a major alone becomes its newest minor, nothing the
// default. It is "" when RDS does not offer the version.
func actualVersion(w *cloud.World, engine, version string) string {
	if engine == "aurora-mysql" {
		switch {
		case version == "" || version == "8.0":
			return "8.0.mysql_aurora.3.08.2"
		case auroraMySQL.MatchString(version):
			return version
		}
		return ""
	}
	if version == "" {
		version = map[string]string{"postgres": "17", "aurora-postgresql": "16", "mysql": "8.4", "mariadb": "11.4"}[engine]
	}
	major, minor := splitVersion(engine, version)
	limits, ok := engines[engine][major]
	if r := w.Find("", remnant("db-release"), engine+major); ok && r != nil {
		limits[1] = r.Out.Int("minor")
	}
	switch {
	case !ok || minor == -2 || minor >= 0 && (minor < limits[0] || minor > limits[1]):
		return ""
	case minor < 0:
		minor = limits[1]
	}
	return fmt.Sprintf("%s.%d", major, minor)
}

// Release makes the version the newest of its major that RDS offers in this world: time has passed. From
// then on a major alone is this minor, in every region.
func Release(w *cloud.World, engine, version string) error {
	w.Lock()
	defer w.Unlock()
	return release(w, engine, version)
}

func release(w *cloud.World, engine, version string) error {
	major, minor := splitVersion(engine, version)
	if now := actualVersion(w, engine, major); now == "" || minor < 0 || newer(now, version) {
		return fmt.Errorf("RDS cannot release %s %s after %s: name a newer minor of a major that it has", engine, version, orText(now, "nothing"))
	}
	w.Put(&cloud.Resource{Type: remnant("db-release"), ID: engine + major, Out: cloud.Object{"minor": float64(minor)}})
	return nil
}

// newer compares two versions of one engine by their numbers.
func newer(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		m, _ := strconv.Atoi(x[i])
		n, _ := strconv.Atoi(y[i])
		if m != n {
			return m > n
		}
	}
	return len(x) > len(y)
}

// family is the parameter group family of an engine version.
func family(engine, version string) string {
	major, _ := splitVersion(engine, version)
	if engine == "aurora-mysql" {
		major = "8.0"
	}
	return engine + major
}

func knownFamily(name string) bool {
	for engine, majors := range engines {
		for major := range majors {
			if name == engine+major {
				return true
			}
		}
	}
	return slices.Contains([]string{"postgres11", "postgres12", "aurora-postgresql11", "aurora-postgresql12", "mysql5.7", "aurora-mysql5.7"}, name)
}

var (
	dbClass     = regexp.MustCompile(`^db\.(t3|t4g|m5|m5d|m6g|m6gd|m6i|m6id|m7g|m7i|m8g|r5|r5b|r5d|r6g|r6gd|r6i|r6id|r7g|r7i|r8g|x2g|x2idn|x2iedn)\.(micro|small|medium|large|xlarge|\d{1,2}xlarge)$`)
	auroraClass = regexp.MustCompile(`^db\.((t3|t4g)\.(medium|large)|(r5|r6g|r6i|r6id|r6gd|r7g|r7i|r8g|x2g)\.(large|\d{0,2}xlarge))$`)
)

// knownClass tells whether RDS has the instance class at all.
func knownClass(class string) bool { return dbClass.MatchString(class) || class == "db.serverless" }

// classFits tells whether the engine runs on the instance class.
func classFits(engine, class string) bool {
	if strings.HasPrefix(engine, "aurora") {
		return class == "db.serverless" || auroraClass.MatchString(class)
	}
	if class == "db.serverless" {
		return false
	}
	_, size, _ := strings.Cut(strings.TrimPrefix(class, "db."), ".")
	if strings.HasPrefix(class, "db.t") {
		return slices.Contains(burstable, size)
	}
	return !slices.Contains([]string{"micro", "small", "medium"}, size)
}

// logTypesOf are the logs that an engine can export.
var logTypesOf = map[string][]string{
	"postgres": {"postgresql", "upgrade", "iam-db-auth-error"}, "aurora-postgresql": {"postgresql", "instance", "iam-db-auth-error"},
	"mysql": {"audit", "error", "general", "slowquery", "iam-db-auth-error"}, "mariadb": {"audit", "error", "general", "slowquery"},
	"aurora-mysql": {"audit", "error", "general", "slowquery", "instance", "iam-db-auth-error"},
}

// certificateAuthorities are the CAs that RDS signs server certificates with.
var certificateAuthorities = []string{"rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"}

// defaultPort is the engine's port.
func defaultPort(engine string) int {
	if strings.Contains(engine, "postgres") {
		return 5432
	}
	return 3306
}
