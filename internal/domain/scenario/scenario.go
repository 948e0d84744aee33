// Package scenario reads the test scenario that an application selects. Specification,
// 15.1: one of the names below, after a prefix, in firstname, lastname or custom1 to
// custom5, in that order.
package scenario

import (
	"slices"
	"strings"

	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/person"
)

// Name is a scenario.
type Name string

// The scenarios of 15.1.
const (
	HappyPath       Name = "HAPPYPATH"
	ChangeAll       Name = "CHANGEALL"
	ChangeAllReview Name = "CHANGEALLREVIEW"
	AbortIdent      Name = "ABORTIDENT"
	FraudIdent      Name = "FRAUDIDENT"
	FraudReview     Name = "FRAUDREVIEW"
	FraudOK         Name = "FRAUDOK"
	Canceled        Name = "CANCELED"
	LongReview      Name = "LONGREVIEW"
	HoldCertificate Name = "HOLDCERTIFICATE"
)

// All lists the scenarios as the specification prints them.
var All = []Name{
	HappyPath, ChangeAll, ChangeAllReview, AbortIdent, FraudIdent, FraudReview, FraudOK, Canceled, LongReview, HoldCertificate,
}

// Prefix says who is a robot.
type Prefix string

// The prefixes.
const (
	ManualTest Prefix = "X-MANUALTEST" // the agent
	AutoTest   Prefix = "X-AUTOTEST"   // the agent and the user
)

// Selection is what an application selects; the zero Selection is: nothing.
type Selection struct {
	Prefix Prefix
	Name   Name
}

// fields are the places where a scenario may stand, in the order they are looked at.
var fields = []string{"firstname", "lastname", "custom1", "custom2", "custom3", "custom4", "custom5"}

// Of returns what the application selects. A prefix with an unknown name after it is
// fault.Invalid, keyed by the field it stands in.
func Of(a person.Application) (Selection, error) {
	for _, f := range fields {
		value := strings.TrimSpace(a.Get(f))
		for _, p := range []Prefix{AutoTest, ManualTest} {
			name, ok := strings.CutPrefix(value, string(p)+"-")
			if !ok {
				continue
			}
			if !slices.Contains(All, Name(name)) {
				return Selection{}, fault.Value(f)
			}
			return Selection{Prefix: p, Name: Name(name)}, nil
		}
	}
	return Selection{}, nil
}
