// Package sim is the flight simulator: Pulumi's real engine and state with simulated clouds, in one
// process, without an account, a credential or a plugin.
//
// It knows nothing of the program it runs: the caller hands over the program, its configuration and
// the simulated providers (see package clouds).
package sim
