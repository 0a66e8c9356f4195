package aws

import (
	"fmt"
	"maps"
	"slices"
)

// fargateMemory is, for each CPU size in units, the memory sizes in MiB that Fargate sells with it.
var fargateMemory = map[int]struct {
	sizes          []int // where the steps are not even
	min, max, step int
}{
	256:   {sizes: []int{512, 1024, 2048}},
	512:   {min: 1024, max: 4096, step: 1024},
	1024:  {min: 2048, max: 8192, step: 1024},
	2048:  {min: 4096, max: 16384, step: 1024},
	4096:  {min: 8192, max: 30720, step: 1024},
	8192:  {min: 16384, max: 61440, step: 4096},
	16384: {min: 32768, max: 122880, step: 8192},
}

// FargatePair is nil when Fargate runs tasks of this size, and otherwise says which sizes it has.
func FargatePair(cpuUnits, memoryMiB int) error {
	m, ok := fargateMemory[cpuUnits]
	if !ok {
		return fmt.Errorf("no task has %d CPU units on Fargate; there are %v", cpuUnits, slices.Sorted(maps.Keys(fargateMemory)))
	}
	if m.sizes != nil {
		if !slices.Contains(m.sizes, memoryMiB) {
			return fmt.Errorf("with %d CPU units Fargate has %v MiB, not %d", cpuUnits, m.sizes, memoryMiB)
		}
		return nil
	}
	if memoryMiB < m.min || memoryMiB > m.max || memoryMiB%m.step != 0 {
		return fmt.Errorf("with %d CPU units Fargate has %d to %d MiB in steps of %d, not %d", cpuUnits, m.min, m.max, m.step, memoryMiB)
	}
	return nil
}
