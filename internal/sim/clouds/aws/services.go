package aws

import "strings"

// servicePrincipals are the services that may stand as a principal in a policy, without
// ".amazonaws.com". AWS refuses names it does not know, such as a misspelt one.
var servicePrincipals = wordSet(`
	access-analyzer acm acm-pca airflow amplify apigateway appflow application-autoscaling appmesh apprunner appsync athena autoscaling
	backup batch bedrock budgets cassandra cloudformation cloudfront cloudhsm cloudtrail cloudwatch codeartifact codebuild codecommit
	codedeploy codepipeline cognito-idp config connect cur datapipeline datasync dax delivery.logs devops-guru diode dlm dms
	ds dynamodb ec2 ec2fleet ecr ecs ecs-tasks ecs.application-autoscaling edgelambda eks eks-fargate-pods elasticache elasticbeanstalk
	elasticfilesystem elasticloadbalancing elasticmapreduce elastictranscoder email es events firehose fis fms fsx glacier
	glue grafana guardduty health iam imagebuilder inspector inspector2 iot kafka kinesis kinesisanalytics kms lakeformation lambda lex
	license-manager logdelivery.elasticloadbalancing logging.s3 logs macie mediaconvert memorydb monitoring mq network-firewall opensearchservice
	opsworks organizations osis pipes pods.eks qldb quicksight ram rds rds.application-autoscaling redshift rekognition replication.dynamodb replicator.lambda
	resource-groups route53 route53domains route53resolver s3 s3.batchoperations batchoperations.s3 sagemaker scheduler secretsmanager securityhub
	serverlessrepo servicecatalog servicediscovery ses shield signer sms sns spot spotfleet sqs ssm ssm-incidents sso states storagegateway
	streams.metrics.cloudwatch sts support swf tagging textract timestream transcribe transfer translate trustedadvisor vmie
	vpc-flow-logs vpc-lattice waf wafv2 workspaces xray dynamodb.application-autoscaling elasticache.application-autoscaling
	custom-resource.application-autoscaling vpce cloudwatch-crossaccount lambda.alarms.cloudwatch ec2.application-autoscaling`)

func wordSet(s string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(s) {
		out[w] = true
	}
	return out
}

// knownService tells whether a service principal exists, in its plain or regional form
// ("logs.eu-west-1.amazonaws.com").
func knownService(id string) bool {
	name, ok := strings.CutSuffix(strings.TrimSuffix(id, ".cn"), ".amazonaws.com")
	if !ok {
		return strings.HasSuffix(id, ".aws.internal") || strings.HasSuffix(id, ".aws.com")
	}
	if servicePrincipals[name] {
		return true
	}
	i := strings.LastIndex(name, ".")
	if i < 0 {
		return false
	}
	if regions[name[i+1:]] != nil {
		return servicePrincipals[name[:i]]
	}
	// A part of a service that acts in its own name: monitoring.rds, delivery.logs, export.rds.
	return servicePrincipals[name[i+1:]]
}
