package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/blang/semver"

	"github.com/pulumi/pulumi/pkg/v3/pluginstorage"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

var errNoPlugins = errors.New("the simulator uses no plugins")

// noPlugins answers the engine's questions about plugins: all are there, none is ever fetched.
type noPlugins struct{}

func (noPlugins) GetPluginPath(context.Context, diag.Sink, workspace.PluginDescriptor, []workspace.ProjectPlugin) (string, error) {
	return "simulated", nil
}
func (noPlugins) IsExternalURL(context.Context, string) bool                 { return false }
func (noPlugins) HasPlugin(context.Context, workspace.PluginDescriptor) bool { return true }
func (noPlugins) HasPluginGTE(context.Context, workspace.PluginDescriptor) (bool, *semver.Version, error) {
	return true, nil, nil
}
func (noPlugins) GetLatestVersion(context.Context, workspace.PluginDescriptor) (*semver.Version, error) {
	return nil, errNoPlugins
}
func (noPlugins) DownloadPlugin(
	context.Context, workspace.PluginDescriptor,
	func(io.ReadCloser, int64) io.ReadCloser, func(error, int, int, time.Duration),
) (io.ReadCloser, int64, error) {
	return io.NopCloser(bytes.NewReader(nil)), 0, errNoPlugins
}
func (noPlugins) InstallPlugin(context.Context, workspace.PluginDescriptor, pluginstorage.Content, bool) error {
	return errNoPlugins
}
func (noPlugins) GetPlugins(context.Context) ([]workspace.PluginInfo, error) { return nil, nil }

// noReferences refuses references to other stacks: every simulated stack stands by itself.
type noReferences struct{}

func (noReferences) GetStackOutputs(_ context.Context, name string, _ func(error) error) (property.Map, error) {
	return property.Map{}, fmt.Errorf("the program refers to stack %q; simulated stacks cannot refer to each other", name)
}

func (noReferences) GetStackResourceOutputs(_ context.Context, name string) (property.Map, error) {
	return property.Map{}, fmt.Errorf("the program refers to stack %q; simulated stacks cannot refer to each other", name)
}
