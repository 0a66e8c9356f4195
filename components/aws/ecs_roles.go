package aws

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// roles registers the execution role (what ECS needs to start the task) and the task role (what the
// running containers may do): neither can do what the other can.
func (b *serviceBuilder) roles() error {
	execution, ready, err := serviceRole(b.ctx, b.name+"-execution", "ecs-tasks.amazonaws.com", "Starts the tasks of "+b.name, b.args.AccountID, b.executionStatements(), b.args.Tags, b.c)
	if err != nil {
		return err
	}
	task, taskReady, err := serviceRole(b.ctx, b.name+"-role", "ecs-tasks.amazonaws.com", "What "+b.name+" may do on AWS", b.args.AccountID, b.taskStatements(), b.args.Tags, b.c)
	if err != nil {
		return err
	}
	b.execution, b.role = execution.Arn, task.Arn
	b.c.ExecutionRoleArn, b.c.TaskRoleArn, b.c.TaskRoleName = execution.Arn, task.Arn, task.Name
	b.ready = append(append(b.ready, ready...), taskReady...)
	return nil
}

func (b *serviceBuilder) executionStatements() []Statement {
	args := b.args
	list := []Statement{{
		Sid: "WriteLogs", Actions: []string{"logs:CreateLogStream", "logs:PutLogEvents"}, Resources: arns(pulumi.Sprintf("%s:*", b.c.LogGroupArn)),
	}}
	pull := []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}
	if len(args.RepositoryArns)+len(args.PullThroughArns) > 0 {
		list = append(list, Statement{
			Sid: "LogInToRegistry", Actions: []string{"ecr:GetAuthorizationToken"}, Resources: arns(pulumi.String("*")), Reason: "GetAuthorizationToken has no resource level",
		})
	}
	if len(args.RepositoryArns) > 0 {
		list = append(list, Statement{Sid: "PullImages", Actions: pull, Resources: args.RepositoryArns})
	}
	if len(args.PullThroughArns) > 0 {
		list = append(list, Statement{Sid: "PullThrough", Actions: append(pull, "ecr:BatchImportUpstreamImage", "ecr:CreateRepository"), Resources: args.PullThroughArns})
	}
	secrets, keys := arns(), args.SecretKmsKeyArns
	seenSecrets, seenKeys := map[pulumi.StringInput]bool{}, map[pulumi.StringInput]bool{}
	for _, k := range keys {
		seenKeys[k] = true
	}
	for _, c := range args.Containers {
		for _, k := range sortedKeys(c.Secrets) {
			ref := c.Secrets[k]
			if !seenSecrets[ref.Arn] {
				seenSecrets[ref.Arn] = true
				secrets = append(secrets, ref.Arn)
			}
			if ref.KmsKeyArn != nil && !seenKeys[ref.KmsKeyArn] {
				seenKeys[ref.KmsKeyArn] = true
				keys = append(keys, ref.KmsKeyArn)
			}
		}
	}
	if len(secrets) > 0 {
		list = append(list, Statement{Sid: "ReadSecrets", Actions: []string{"secretsmanager:GetSecretValue"}, Resources: secrets})
	}
	if len(secrets) > 0 && len(keys) > 0 {
		list = append(list, Statement{
			Sid: "DecryptSecrets", Actions: []string{"kms:Decrypt"}, Resources: keys,
			Conditions: condition("StringEquals", "kms:ViaService", pulumi.String("secretsmanager."+args.Region+".amazonaws.com")),
		})
	}
	return list
}

func (b *serviceBuilder) taskStatements() []Statement {
	var list []Statement
	for _, v := range b.args.Volumes {
		actions := []string{"elasticfilesystem:ClientMount"}
		if !v.ReadOnly {
			actions = append(actions, "elasticfilesystem:ClientWrite")
		}
		list = append(list, Statement{
			Sid: "Mount" + camel(v.Name), Actions: actions, Resources: arns(v.FileSystemArn),
			Conditions: condition("StringEquals", "elasticfilesystem:AccessPointArn", v.AccessPointArn),
		})
	}
	if b.args.Exec {
		list = append(list, Statement{
			Sid: "ExecSession", Resources: arns(pulumi.String("*")), Reason: "Session Manager channels have no resource level",
			Actions: []string{"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel"},
		}, Statement{
			Sid: "ExecLogs", Actions: []string{"logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"},
			Resources: arns(pulumi.Sprintf("%s:*", b.args.Cluster.execLogArn)),
		}, Statement{
			Sid: "ExecFindLogs", Actions: []string{"logs:DescribeLogGroups"}, Resources: arns(pulumi.String("*")), Reason: "DescribeLogGroups has no resource level",
		})
	}
	return append(list, b.args.TaskStatements...)
}
