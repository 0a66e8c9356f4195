package durability

import "github.com/morphee-app/morphee-infra/policy/rule"

const (
	tVersioning = "aws:s3/bucketVersioningV2:BucketVersioningV2"
	tLifecycle  = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
	tEncryption = "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"
	tPolicy     = "aws:s3/bucketPolicy:BucketPolicy"
)

var buckets = []rule.Rule{{
	ID: "s3-versioning", Level: rule.Mandatory, Refs: []string{"T0090", "C21"},
	Title:  "Buckets keep what was overwritten or deleted, unless all they hold expires by itself",
	Reason: "One wrong command empties a bucket; with versions it is undone by another.",
	Mend:   "Add a BucketVersioningV2 with status Enabled. Logs, which expire, need none.",
	Graph: func(g *rule.Graph) {
		for _, b := range g.Of(tBucketV2, tBucket) {
			if b.In("versioning.enabled").True() || expires(g, b) {
				g.Looked(b)
				continue
			}
			g.Needs(b, "bucket", "what is overwritten is lost", func(r *rule.Resource) rule.Value {
				if v := r.Get("versioningConfiguration.status"); v.Unknown() {
					return v
				}
				return rule.Of(r.Get("versioningConfiguration.status").Text() == "Enabled")
			}, tVersioning)
		}
	},
}, {
	ID: "s3-lifecycle", Level: rule.Mandatory, Refs: []string{"C300", "C2_61"},
	Title:  "Buckets clean up after themselves, unfinished uploads included",
	Reason: "Old versions and unfinished uploads are paid for, and never seen.",
	Mend:   "Add a lifecycle configuration with a rule that aborts incomplete uploads.",
	Graph: func(g *rule.Graph) {
		for _, b := range g.Of(tBucketV2, tBucket, tR2) {
			inline := false
			for _, r := range b.In("lifecycleRules").List() {
				inline = inline || r.At("enabled").True() && !r.At("abortIncompleteMultipartUploadDays").Absent()
			}
			if inline {
				g.Looked(b)
				continue
			}
			if b.Type == tR2 && backupBucket(g) != b {
				continue
			}
			g.Needs(b, "bucket", "unfinished uploads stay for ever", func(r *rule.Resource) rule.Value {
				if r.Get("rules").Unknown() {
					return r.Get("rules")
				}
				for _, v := range r.Get("rules").List() {
					if v.At("status").Text() == "Enabled" && !v.At("abortIncompleteMultipartUpload").Absent() {
						return rule.Of(true)
					}
				}
				return rule.Of(false)
			}, tLifecycle)
		}
	},
}, {
	ID: "s3-encrypted", Level: rule.Mandatory, Refs: []string{"T0088", "C19"},
	Title:  "Buckets say how they are encrypted",
	Reason: "What is written down is compared at every update.",
	Mend:   "Add a server-side encryption configuration.",
	Graph: func(g *rule.Graph) {
		for _, b := range g.Of(tBucketV2, tBucket) {
			if b.In("serverSideEncryptionConfiguration").IsMap() {
				g.Looked(b)
				continue
			}
			g.Needs(b, "bucket", "nothing says how the bucket is encrypted", nil, tEncryption)
		}
	},
}, {
	ID: "s3-tls-only", Level: rule.Mandatory, Refs: []string{"N-S10", "C379"},
	Title:  "Buckets refuse requests that are not over TLS",
	Reason: "The data would cross the network in plain.",
	Mend:   "Add a bucket policy that denies when aws:SecureTransport is false.",
	Graph: func(g *rule.Graph) {
		for _, b := range g.Of(tBucketV2, tBucket) {
			if refusesPlain(b.In("policy")).True() {
				g.Looked(b)
				continue
			}
			g.Needs(b, "bucket", "requests over plain HTTP are answered", func(r *rule.Resource) rule.Value { return refusesPlain(r.Get("policy")) }, tPolicy)
		}
	},
}}

// expires says whether everything in a bucket goes by itself after a while: logs.
func expires(g *rule.Graph, b *rule.Resource) bool {
	rules := b.In("lifecycleRules").List()
	configurations, _ := g.Referring(b, "bucket", tLifecycle)
	for _, c := range configurations {
		rules = append(rules, c.Get("rules").List()...)
	}
	for _, r := range rules {
		prefix := r.At("filter.prefix").Text() + r.At("prefix").Text()
		enabled := r.At("status").Text() == "Enabled" || r.At("enabled").True()
		if n, ok := r.At("expiration.days").Number(); enabled && ok && n > 0 && prefix == "" {
			return true
		}
	}
	return false
}
