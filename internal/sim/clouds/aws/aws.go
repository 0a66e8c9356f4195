// Package aws is what the simulator knows of Amazon Web Services beyond the schema: computed outputs
// in AWS's own formats, and the rules whose violation fails a real deployment, with AWS's own errors.
//
// One file holds one type or a tight family. Network, load balancing, containers, file systems,
// databases and caches register here; identity, keys, buckets, delivery and monitoring in edge.go.
package aws

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// accountID is the one account of the simulated AWS: the account of AWS's own documentation.
const accountID = "123456789012"

// Package is the simulated AWS provider.
func Package() cloud.Package {
	functions := map[string]cloud.Function{}
	maps.Copy(functions, coreFunctions())
	maps.Copy(functions, edgeFunctions())
	return cloud.Package{
		Name:        "aws",
		Types:       append(platformTypes(), edgeTypes()...),
		Scope:       scope,
		Replaces:    []string{"region"}, // since v6.39 of the provider
		CheckConfig: checkConfig,
		Functions:   functions,
		Takes:       cloud.Durations{Create: 2 * time.Second, Update: 2 * time.Second, Delete: 2 * time.Second},
	}
}

// platformTypes are the network and everything that runs in it.
func platformTypes() []cloud.Type {
	types := slices.Concat(
		networkTypes(), balancerTypes(), containerTypes(), scalingTypes(), discoveryTypes(),
		fileSystemTypes(), databaseTypes(), cacheTypes(),
	)
	for i := range types {
		types[i] = withTags(types[i])
	}
	return types
}

// scope is the region; a provider whose S3 endpoint is Cloudflare R2's works in that R2 account
// instead. Global services (IAM, CloudFront, Route 53) are kept in the scope of the provider that
// made them, and are looked up with anywhere, so that their names are unique across regions.
func scope(config cloud.Object) string {
	if account := r2Account(config); account != "" {
		return "r2:" + account
	}
	return config.String("region")
}

var r2Host = regexp.MustCompile(`^https://([0-9a-zA-Z_-]+)(?:\.(?:eu|fedramp))?\.r2\.cloudflarestorage\.com/?$`)

// r2Account returns the Cloudflare account that the provider's S3 endpoint belongs to, or "".
func r2Account(config cloud.Object) string {
	for _, e := range nested(config, "endpoints") {
		if m := r2Host.FindStringSubmatch(e.String("s3")); m != nil {
			return m[1]
		}
	}
	return ""
}

// nested returns the objects at key of a provider's configuration, where nested values may travel
// as JSON text, alone or in a list.
func nested(config cloud.Object, key string) []cloud.Object {
	v := config.Get(key)
	if parsed, err := cloud.JSON(v); err == nil && parsed != nil {
		v = parsed
	}
	if o, ok := v.(cloud.Object); ok {
		return []cloud.Object{o}
	}
	return cloud.Object{"list": v}.Objects("list")
}

func checkConfig(c *cloud.CheckCall) {
	region := c.In.Get("region")
	r2 := r2Account(c.In)
	switch {
	case cloud.IsUnknown(region):
	case region == nil || region == "":
		c.Fail("region", "invalid AWS Region: an explicit region is required, such as eu-west-1")
	case regions[cloud.Text(region)] == nil && !c.In.Bool("skipRegionValidation"):
		c.Fail("region", "invalid AWS Region: %s", cloud.Text(region))
	case regions[cloud.Text(region)] == nil && r2 == "":
		c.Fail("region", "no such host: sts.%s.amazonaws.com (region validation is off, and %[1]s is no AWS region)", cloud.Text(region))
	}
	if r2 != "" {
		for _, flag := range []string{"skipCredentialsValidation", "skipRequestingAccountId"} {
			if !c.In.Bool(flag) {
				c.Fail(flag, "validating provider credentials: retrieving caller identity from STS: api error InvalidClientTokenId: "+
					"an R2 token is no AWS credential; set %s to true for a provider that talks to R2", flag)
			}
		}
	}
	if allowed := nestedStrings(c.In, "allowedAccountIds"); len(allowed) > 0 && r2 == "" && !slices.Contains(allowed, accountID) {
		c.Fail("allowedAccountIds", "AWS account ID not allowed: %s (the simulator's account)", accountID)
	}
	if slices.Contains(nestedStrings(c.In, "forbiddenAccountIds"), accountID) {
		c.Fail("forbiddenAccountIds", "AWS account ID not allowed: %s (the simulator's account)", accountID)
	}
}

func nestedStrings(config cloud.Object, key string) []string {
	v := config.Get(key)
	if parsed, err := cloud.JSON(v); err == nil && parsed != nil {
		v = parsed
	}
	return cloud.Object{"list": v}.Strings("list")
}

// arn builds an ARN in the simulated account. Global services take region "".
func arn(service, region, resource string) string {
	return "arn:aws:" + service + ":" + region + ":" + accountID + ":" + resource
}

// arnPart returns a field of an ARN: 2 is the service, 3 the region, 4 the account, 5 the resource.
func arnPart(arn string, field int) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return ""
	}
	return parts[field]
}

// isARN tells whether s is an ARN of the service.
func isARN(s, service string) bool { return arnPart(s, 2) == service && arnPart(s, 5) != "" }

// refuse is an error of the AWS API as the SDK prints it.
func refuse(service, operation, code, format string, args ...any) error {
	return refuseStatus(http.StatusBadRequest, service, operation, code, format, args...)
}

// refuseStatus is refuse for the services that answer with other statuses than 400.
func refuseStatus(status int, service, operation, code, format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	kind := ""
	if unmodelled(service, code) {
		kind = "api error "
	}
	return &cloud.Error{Code: code, Message: fmt.Sprintf("operation error %s: %s, https response error StatusCode: %d, RequestID: %s, %s%s: %s",
		service, operation, status, requestID(service, operation, code, message), kind, code, message)}
}

// unmodelled tells whether the SDK has no type of its own for the error; it then writes "api error".
func unmodelled(service, code string) bool {
	return service == "EC2" || slices.Contains([]string{"ValidationError", "InvalidParameterCombination", "InvalidParameterValue",
		"AccessDenied", "AccessDeniedException", "InvalidClientTokenId", "SignatureDoesNotMatch", "MalformedXML", "InvalidRequest", "ValidationException"}, code)
}

// requestID is an identifier in the form of AWS's request ids, the same in every run.
func requestID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
}

// ec2ID is an id in EC2's form, such as vpc-0a1b2c3d4e5f60718.
func ec2ID(g cloud.Gen, prefix string) string { return prefix + "-0" + g.Hex(prefix, 16) }

// anywhere finds a resource of a global service by id or ARN, in whatever scope it was made.
func anywhere(w *cloud.World, typ, id string) *cloud.Resource {
	if id == "" {
		return nil
	}
	for _, r := range w.All("", typ) {
		if r.ID == id || r.Out["arn"] == id {
			return r
		}
	}
	return nil
}

// byProperty returns the first of the resources whose output has the value, or nil.
func byProperty(list []*cloud.Resource, property, value string) *cloud.Resource {
	for _, r := range list {
		if value != "" && r.Out.String(property) == value {
			return r
		}
	}
	return nil
}

// tagsAll fills the output that every taggable resource has: its tags with the provider's defaults.
func tagsAll(c *cloud.Call) {
	all := cloud.Object{}
	for _, d := range nested(c.Config, "defaultTags") {
		maps.Copy(all, d.Object("tags"))
	}
	maps.Copy(all, c.In.Object("tags"))
	c.Out["tagsAll"] = all
}

// minutes and seconds keep tables of durations short.
func minutes(n float64) time.Duration { return time.Duration(n * float64(time.Minute)) }
func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
