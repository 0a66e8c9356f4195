package recorder

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Canary begins every secret that Computed makes, so that tests can look for it where no secret may be.
const Canary = "CANARY"

// Texts are properties that are texts, written as key, value, key, value, …
func Texts(pairs ...string) resource.PropertyMap {
	m := resource.PropertyMap{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[resource.PropertyKey(pairs[i])] = resource.NewProperty(pairs[i+1])
	}
	return m
}

// Computed is what the clouds compute and components read, made up from the name. It fits
// Recorder.Outputs.
func Computed(typ, name string, inputs resource.PropertyMap) resource.PropertyMap {
	switch typ {
	case "random:index/randomPassword:RandomPassword":
		return Texts("result", Canary+name)
	case "random:index/randomId:RandomId":
		return Texts("hex", "deadbeef")
	case "tls:index/privateKey:PrivateKey":
		return Texts("privateKeyPem", Canary+name)
	case "tls:index/selfSignedCert:SelfSignedCert", "tls:index/locallySignedCert:LocallySignedCert":
		return Texts("certPem", "CERT "+name)
	case "tls:index/certRequest:CertRequest":
		return Texts("certRequestPem", "REQUEST")
	case "command:remote:Command":
		return Texts("stdout", Canary+name)
	case "cloudflare:index/apiToken:ApiToken":
		return Texts("value", Canary+name)
	case "cloudflare:index/record:Record":
		return Texts("hostname", "proof.example")
	case "docker:index/remoteImage:RemoteImage":
		return Texts("imageId", "sha256:"+name)
	case "hcloud:index/primaryIp:PrimaryIp":
		return Texts("ipAddress", "203.0.113.7")
	case "hcloud:index/server:Server":
		return Texts("ipv6Address", "2001:db8::1")
	}
	if strings.HasPrefix(typ, "aws:") {
		return computedByAws(typ, name, inputs)
	}
	return nil
}

func computedByAws(typ, name string, inputs resource.PropertyMap) resource.PropertyMap {
	out := Texts("arn", "arn:aws:"+name)
	text := func(k, v string) { out[resource.PropertyKey(k)] = resource.NewProperty(v) }
	switch typ {
	case "aws:ecs/cluster:Cluster", "aws:ecs/service:Service", "aws:cloudwatch/logGroup:LogGroup", "aws:iam/role:Role":
		text("name", name+"-1234567")
	case "aws:lb/loadBalancer:LoadBalancer":
		text("arnSuffix", "app/"+name+"/0123")
		text("dnsName", name+".elb.amazonaws.com")
		text("zoneId", "Z1")
	case "aws:lb/targetGroup:TargetGroup":
		text("arnSuffix", "targetgroup/"+name+"/4567")
	case "aws:s3/bucketV2:BucketV2":
		text("bucket", name+"-1234567")
	case "aws:ec2/eip:Eip":
		text("publicIp", "198.51.100.1")
	case "aws:ec2/vpcEndpoint:VpcEndpoint":
		text("prefixListId", "pl-1")
	case "aws:rds/instance:Instance", "aws:rds/cluster:Cluster":
		text("address", "db.example")
		text("endpoint", "writer.example")
		text("readerEndpoint", "reader.example")
		text("resourceId", "db-RES")
		text("clusterResourceId", "cluster-RES")
		out["masterUserSecrets"] = resource.NewProperty([]resource.PropertyValue{resource.NewProperty(Texts("secretArn", "arn:aws:secretsmanager:master"))})
	case "aws:elasticache/replicationGroup:ReplicationGroup":
		text("primaryEndpointAddress", "redis.example")
	case "aws:acm/certificate:Certificate":
		out["domainValidationOptions"] = validationOptions(inputs)
	}
	return out
}

// validationOptions are the proofs that a certificate's names want, in an order of ACM's own.
func validationOptions(certificate resource.PropertyMap) resource.PropertyValue {
	names := []string{certificate["domainName"].StringValue()}
	for _, v := range certificate["subjectAlternativeNames"].ArrayValue() {
		names = append(names, v.StringValue())
	}
	slices.Reverse(names)
	var options []resource.PropertyValue
	for _, n := range names {
		options = append(options, resource.NewProperty(Texts(
			"domainName", n, "resourceRecordName", "_x."+strings.TrimPrefix(n, "*.")+".",
			"resourceRecordType", "CNAME", "resourceRecordValue", "_y."+n+".acm-validations.aws.",
		)))
	}
	return resource.NewProperty(options)
}

// RunningAsAsked answers the question which task definition a service runs: the one asked for. It fits
// Recorder.Calls.
func RunningAsAsked(_ string, args resource.PropertyMap) (resource.PropertyMap, error) {
	service := strings.TrimSuffix(args["serviceName"].StringValue(), "-service-1234567")
	return Texts("taskDefinition", "arn:aws:"+service+"-task"), nil
}
