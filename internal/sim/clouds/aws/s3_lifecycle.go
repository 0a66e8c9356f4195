package aws

import (
	"fmt"
	"sort"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func lifecycleType() cloud.Type {
	t := bucketSetting(lifecycleToken, "PutBucketLifecycleConfiguration", checkLifecycle)
	t.Takes = cloud.Durations{Create: seconds(12), Update: seconds(12), Delete: seconds(2)}
	return t
}

func checkLifecycle(c *cloud.Call) error {
	rules := c.In.Objects("rules")
	if len(rules) == 0 {
		return refuse("S3", "PutBucketLifecycleConfiguration", "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema (a lifecycle needs at least one rule)")
	}
	if len(rules) > 1000 {
		return refuse("S3", "PutBucketLifecycleConfiguration", "InvalidRequest", "The number of lifecycle rules must not exceed the allowed limit of 1000 rules")
	}
	ids := map[string]bool{}
	for _, r := range rules {
		id := r.String("id")
		if ids[id] {
			return refuse("S3", "PutBucketLifecycleConfiguration", "InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule (%s)", id)
		}
		ids[id] = true
		if code, why := lifecycleRuleProblem(r); code != "" {
			return refuse("S3", "PutBucketLifecycleConfiguration", code, "%s (rule %q)", why, id)
		}
	}
	computed(c, "expectedBucketOwner", "")
	computed(c, "transitionDefaultMinimumObjectSize", "all_storage_classes_128K")
	return nil
}

const malformedXML = "The XML you provided was not well-formed or did not validate against our published schema"

// lifecycleRuleProblem returns the error code and message for a rule that S3 refuses.
func lifecycleRuleProblem(r cloud.Object) (code, why string) {
	expiration := r.Object("expiration")
	expires := expiration.Int("days") > 0 || expiration.String("date") != "" || expiration.Bool("expiredObjectDeleteMarker")
	actions := r.Has("abortIncompleteMultipartUpload") || expires || r.Has("noncurrentVersionExpiration") ||
		len(r.Objects("transitions")) > 0 || len(r.Objects("noncurrentVersionTransitions")) > 0
	if expiration != nil && !expires {
		return "InvalidArgument", "'Days' for Expiration action must be a positive integer"
	}
	if !actions {
		return "InvalidRequest", "At least one action needs to be specified in a rule"
	}
	if n := boolCount(expiration.Int("days") > 0, expiration.String("date") != "", expiration.Bool("expiredObjectDeleteMarker")); n > 1 {
		return "MalformedXML", malformedXML + " (an expiration has days, a date or expiredObjectDeleteMarker, one of them)"
	}
	if d := expiration.String("date"); d != "" && !strings.Contains(d, "T00:00:00") && len(d) > 10 {
		return "InvalidArgument", "'Date' must be at midnight GMT"
	}
	filter := r.Object("filter")
	tagged := filter.Has("tag") || filter.Has("and.tags")
	if n := boolCount(filter.Has("prefix"), filter.Has("tag"), filter.Has("and"), filter.Has("objectSizeGreaterThan"), filter.Has("objectSizeLessThan")); n > 1 {
		return "MalformedXML", malformedXML + " (a filter has one criterion; put several under and)"
	}
	if filter != nil && r.String("prefix") != "" {
		return "MalformedXML", malformedXML + " (filter and prefix exclude each other)"
	}
	if tagged && r.Has("abortIncompleteMultipartUpload") {
		return "InvalidRequest", "AbortIncompleteMultipartUpload cannot be specified with Tags."
	}
	if tagged && expiration.Bool("expiredObjectDeleteMarker") {
		return "InvalidRequest", "ExpiredObjectDeleteMarker cannot be specified with Tags."
	}
	if r.Has("abortIncompleteMultipartUpload") && r.Int("abortIncompleteMultipartUpload.daysAfterInitiation") < 1 {
		return "InvalidArgument", "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer"
	}
	if why := transitionProblem(r.Objects("transitions"), "days", "Transition"); why != "" {
		return "InvalidArgument", why
	}
	if why := transitionProblem(r.Objects("noncurrentVersionTransitions"), "noncurrentDays", "NoncurrentVersionTransition"); why != "" {
		return "InvalidArgument", why
	}
	for _, t := range r.Objects("transitions") {
		if days := expiration.Int("days"); days > 0 && days <= t.Int("days") {
			return "InvalidArgument", fmt.Sprintf("'Days' in the Expiration action for filter '(prefix=%s)' must be greater than 'Days' in the Transition action (%d, %d)", filter.String("prefix"), days, t.Int("days"))
		}
	}
	for _, t := range r.Objects("noncurrentVersionTransitions") {
		if days := r.Int("noncurrentVersionExpiration.noncurrentDays"); days > 0 && days <= t.Int("noncurrentDays") {
			return "InvalidArgument", "'NoncurrentDays' in the NoncurrentVersionExpiration action must be greater than 'NoncurrentDays' in the NoncurrentVersionTransition action"
		}
	}
	return "", ""
}

// coldness orders the storage classes: objects only ever move down.
var coldness = map[string]int{"STANDARD_IA": 1, "INTELLIGENT_TIERING": 2, "ONEZONE_IA": 3, "GLACIER_IR": 4, "GLACIER": 5, "DEEP_ARCHIVE": 6}

func transitionProblem(list []cloud.Object, days, action string) string {
	sorted := append([]cloud.Object(nil), list...)
	sort.SliceStable(sorted, func(i, j int) bool {
		return coldness[sorted[i].String("storageClass")] < coldness[sorted[j].String("storageClass")]
	})
	for i, t := range sorted {
		class := t.String("storageClass")
		if t.String("date") != "" {
			if t.Has("days") && t.Int("days") > 0 {
				return "a transition has days or a date, not both"
			}
			continue
		}
		if (class == "STANDARD_IA" || class == "ONEZONE_IA") && t.Int(days) < 30 {
			return fmt.Sprintf("'Days' in %s action must be greater than or equal to 30 for storageClass '%s' (got %d)", action, class, t.Int(days))
		}
		if i == 0 {
			continue
		}
		before := sorted[i-1]
		if before.String("storageClass") == class {
			return fmt.Sprintf("found two %s actions for storageClass '%s'", action, class)
		}
		gap := 1
		if strings.HasSuffix(before.String("storageClass"), "_IA") {
			gap = 30
		}
		if t.Int(days) < before.Int(days)+gap {
			return fmt.Sprintf("'Days' in the %s action for StorageClass '%s' must be %d days more than 'Days' in the %s action for StorageClass '%s' (%d, %d)",
				action, class, gap, action, before.String("storageClass"), t.Int(days), before.Int(days))
		}
	}
	return ""
}

func boolCount(list ...bool) (n int) {
	for _, b := range list {
		if b {
			n++
		}
	}
	return n
}
