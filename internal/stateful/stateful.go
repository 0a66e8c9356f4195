// Package stateful says which resource types hold something that nobody can rebuild: data, keys,
// generated secrets, addresses that people know. Policies, reports and tests ask it.
package stateful

import (
	"maps"
	"slices"
	"strings"
)

// Kind is what would be lost with a resource.
type Kind string

// The kinds.
const (
	Data    Kind = "data"    // databases, files, objects
	Key     Kind = "key"     // what other data cannot be read without
	Secret  Kind = "secret"  // generated values that others know by now
	Address Kind = "address" // what the world reaches us by
	Host    Kind = "host"    // rebuilt from data, with everything on it standing still meanwhile
)

// types are all of them. Caches are not here: Redis is ephemeral by design.
var types = map[string]Kind{
	"aws:backup/vault:Vault":                     Data,
	"aws:docdb/cluster:Cluster":                  Data,
	"aws:dynamodb/table:Table":                   Data,
	"aws:ebs/volume:Volume":                      Data,
	"aws:ecr/repository:Repository":              Data,
	"aws:efs/fileSystem:FileSystem":              Data,
	"aws:kms/key:Key":                            Key,
	"aws:kms/replicaKey:ReplicaKey":              Key,
	"aws:rds/cluster:Cluster":                    Data,
	"aws:rds/globalCluster:GlobalCluster":        Data,
	"aws:rds/instance:Instance":                  Data,
	"aws:route53/zone:Zone":                      Address,
	"aws:s3/bucket:Bucket":                       Data,
	"aws:s3/bucketV2:BucketV2":                   Data,
	secretType:                                   Secret,
	"cloudflare:index/r2Bucket:R2Bucket":         Data,
	"cloudflare:index/zone:Zone":                 Address,
	"docker:index/volume:Volume":                 Data,
	"hcloud:index/floatingIp:FloatingIp":         Address,
	"hcloud:index/primaryIp:PrimaryIp":           Address,
	"hcloud:index/server:Server":                 Host,
	"hcloud:index/volume:Volume":                 Data,
	"random:index/randomBytes:RandomBytes":       Secret,
	"random:index/randomPassword:RandomPassword": Secret,
	"tls:index/privateKey:PrivateKey":            Secret,
	"aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication": Data,
}

// Of says what would be lost with a resource of the type; ok is false when nothing would.
func Of(token string) (kind Kind, ok bool) {
	kind, ok = types[token]
	return kind, ok
}

// Is says whether a resource of the type holds something that nobody can rebuild.
func Is(token string) bool { _, ok := types[token]; return ok }

// Resource is Is, with what else tells: a read replica holds nothing of its own, and the Docker volume
// that a service's files are written to (its name ends in -secrets) is written again at need.
func Resource(token string, inputs map[string]any) bool {
	switch token {
	case "aws:rds/instance:Instance":
		source, _ := inputs["replicateSourceDb"].(string)
		return source == ""
	case "docker:index/volume:Volume":
		name, _ := inputs["name"].(string)
		return !Rewritten(token, name)
	case secretType:
		tags, _ := inputs["tags"].(map[string]any)
		name, _ := tags["Name"].(string)
		return !Rewritten(token, name)
	}
	return Is(token)
}

const secretType = "aws:secretsmanager/secret:Secret"

// Rewritten says whether a resource of a stateful type is one whose content Pulumi writes again, by
// its name: the volume with a container's secrets, and the secret of an address to tell, which is in the
// configuration and may be taken out of it.
func Rewritten(token, name string) bool {
	return token == "docker:index/volume:Volume" && strings.HasSuffix(name, "-secrets") ||
		token == secretType && strings.HasSuffix(name, "-webhook-url")
}

// Types are the tokens, sorted, for tests and documentation.
func Types() []string {
	return slices.Sorted(maps.Keys(types))
}
