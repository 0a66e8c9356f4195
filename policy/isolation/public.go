package isolation

import "github.com/morphee-app/morphee-infra/policy/rule"

const (
	tBucketV2    = "aws:s3/bucketV2:BucketV2"
	tBucket      = "aws:s3/bucket:Bucket"
	tBlock       = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
	tAcl         = "aws:s3/bucketAclV2:BucketAclV2"
	tPolicy      = "aws:s3/bucketPolicy:BucketPolicy"
	tRepoPolicy  = "aws:ecr/repositoryPolicy:RepositoryPolicy"
	tTopicPolicy = "aws:sns/topicPolicy:TopicPolicy"
)

// policyOf is where each type has its resource policy.
var policyOf = map[string]string{
	tPolicy: "policy", tBucket: "policy", tRepoPolicy: "policy", tTopicPolicy: "policy", "aws:sns/topic:Topic": "policy",
	"aws:secretsmanager/secretPolicy:SecretPolicy": "policy", "aws:secretsmanager/secret:Secret": "policy",
	"aws:efs/fileSystemPolicy:FileSystemPolicy": "policy", "aws:backup/vaultPolicy:VaultPolicy": "policy",
	"aws:sqs/queue:Queue": "policy", "aws:ec2/vpcEndpoint:VpcEndpoint": "policy",
}

func notPublic(c *rule.Check) {
	v := c.In(policyOf[c.Type])
	if v.Absent() {
		return
	}
	list, known := rule.Statements(v)
	if !known {
		c.Undecided(v)
		return
	}
	for _, s := range list {
		if s.Allows() && s.Everyone() && !s.Narrowed() {
			c.Violate("statement %q lets anybody in", s.Sid())
		}
	}
}

var public = []rule.Rule{{
	ID: "database-not-public", Level: rule.Mandatory, Refs: []string{"T0180", "C17"},
	Types:  []string{"aws:rds/instance:Instance", "aws:rds/clusterInstance:ClusterInstance"},
	Title:  "Databases have no public address",
	Reason: "A database is for the services beside it.",
	Mend:   "Set publiclyAccessible to false.",
	Check:  func(c *rule.Check) { c.False("publiclyAccessible", "the database gets a public address") },
}, {
	ID: "s3-block-public-access", Level: rule.Mandatory,
	Refs:   []string{"T0086", "T0087", "T0091", "T0093", "C53", "C54", "C55", "C56", "C2_6"},
	Title:  "Every bucket blocks public access, in all four ways",
	Reason: "One policy or ACL too many, and the bucket is on the internet.",
	Mend:   "Add a BucketPublicAccessBlock with all four set to true.",
	Graph: func(g *rule.Graph) {
		for _, b := range g.Of(tBucketV2, tBucket) {
			g.Needs(b, "bucket", "public access is not blocked in all four ways", func(r *rule.Resource) rule.Value {
				for _, p := range []string{"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"} {
					if v := r.Get(p); !v.True() {
						return v
					}
				}
				return rule.Of(true)
			}, tBlock)
		}
	},
}, {
	ID: "s3-no-public-acl", Level: rule.Mandatory, Refs: []string{"T0092", "C20", "C57"}, Types: []string{tAcl, tBucket},
	Title:  "No bucket has an ACL that lets the public in",
	Reason: "ACLs are an old way to share, and easily forgotten.",
	Mend:   "Use no ACL, or private.",
	Check: func(c *rule.Check) {
		c.Want(c.In("acl"), func(v rule.Value) bool { return !rule.Glob("public-*", v.Text()) && v.Text() != "authenticated-read" }, "the ACL lets the public in")
	},
}, {
	ID: "s3-policy-not-public", Level: rule.Mandatory, Refs: []string{"C70", "N-S5"}, Types: []string{tPolicy, tBucket},
	Title:  "No bucket policy lets anybody in",
	Reason: "What anybody can read will be read.",
	Mend:   "Name the principal, or narrow the statement by aws:SourceArn or aws:SourceAccount.",
	Check:  notPublic,
}, {
	ID: "ecr-not-public", Level: rule.Mandatory, Refs: []string{"T0032", "C32"}, Types: []string{tRepoPolicy},
	Title:  "No image repository lets anybody in",
	Reason: "Images hold the product's code.",
	Mend:   "Name the accounts or roles that may pull.",
	Check:  notPublic,
}, {
	ID: "resource-policy-not-public", Level: rule.Mandatory, Refs: []string{"C169"},
	Types: []string{tTopicPolicy, "aws:sns/topic:Topic", "aws:secretsmanager/secretPolicy:SecretPolicy", "aws:secretsmanager/secret:Secret",
		"aws:efs/fileSystemPolicy:FileSystemPolicy", "aws:backup/vaultPolicy:VaultPolicy", "aws:sqs/queue:Queue"},
	Title:  "No topic, secret, file system, vault or queue lets anybody in",
	Reason: "A policy for everybody reaches beyond the account.",
	Mend:   "Name the principal, or narrow the statement by aws:SourceArn or aws:SourceAccount.",
	Check:  notPublic,
}}
