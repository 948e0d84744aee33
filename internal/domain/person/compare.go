package person

// Status says how a value came about (13.1.4).
type Status string

// The statuses. Original stands alone where an identification failed, Redaction where the
// account has a field of the document left out.
const (
	Match     Status = "MATCH"
	Change    Status = "CHANGE"
	New       Status = "NEW"
	Original  Status = "ORIGINAL"
	Redaction Status = "REDACTION"
)

// Value is a field of a result: what it holds, and how it differs from what was there
// before. The zero Value means that there is nothing to show.
type Value struct {
	Value          string // empty with CHANGE: somebody took the value out
	Status         Status // the agent's value against the company's
	ReviewStatus   Status // the reviewer's value against the agent's; empty before the review
	Original       string // what the company sent; with Status CHANGE or ORIGINAL
	Identification string // what the agent entered; with ReviewStatus CHANGE
}

// Compare returns the field of a result from what the company sent, the agent identified
// and the reviewer left; before the review, final is false and reviewed is not looked at.
// Values that differ only in letter case or in spaces match, and so do two empty ones:
// when the reviewer alone found a value, Status is MATCH and ReviewStatus NEW (13.1.4,
// example 7). With all three empty there is nothing to show. Callers pass identified and
// reviewed as Show returns them; sent stays as it was.
func Compare(sent, identified, reviewed string, final bool) Value {
	value := identified
	if final {
		value = reviewed
	}
	if blank(sent) && blank(identified) && blank(value) {
		return Value{}
	}
	v := Value{Value: value, Status: step(sent, identified)}
	if v.Status == Change {
		v.Original = sent
	}
	if !final {
		return v
	}
	v.ReviewStatus = step(identified, reviewed)
	if v.ReviewStatus == Change {
		v.Identification = identified
	}
	return v
}

// step compares what was there before with what somebody made of it.
func step(before, after string) Status {
	from, to := Fold(before), Fold(after)
	if from == to {
		return Match
	}
	if from == "" {
		return New
	}
	return Change
}

// Changed says whether the agent, or the reviewer, changed the value.
func (v Value) Changed() (byAgent, byReviewer bool) {
	return v.Status == Change, v.ReviewStatus == Change
}
