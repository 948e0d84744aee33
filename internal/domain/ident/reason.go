package ident

import "slices"

// Reason says why an attempt or an identification failed (14.5.3), or what the suspicion
// of fraud is (13.1.1).
type Reason string

// Failure is one line of the table in 14.5.3.
type Failure struct {
	Reason       Reason
	Permanent    bool // no further attempt: the number answers 409
	CausedByUser bool
	Description  string
}

// The reasons that the code itself gives.
const (
	StalledTimeout Reason = "STALLED_TIMEOUT"
	TechTimeout    Reason = "TECH_TIMEOUT"
	TechVideo      Reason = "TECH_VIDEO"
	TechPhoto      Reason = "TECH_PHOTO"
	TechServer     Reason = "TECH_INTERNAL_SERVER_ERROR"
)

// Failures is the table of 14.5.3 with the two columns as the project's ruling 21 reads
// them.
var Failures = []Failure{
	{"DATA_APPLICATION_ADDRESS", true, true, "the address of the application is not the one on the document and cannot be corrected"},
	{"DATA_APPLICATION_DATA", true, true, "the data of the application are not those on the document and cannot be corrected"},
	{"DATA_ID_EXPIRED", false, true, "the document is no longer valid; another one is needed"},
	{"OTHER_ABUSE", false, true, "the procedure was abused"},
	{"OTHER_MISCELLANEOUS_PERMANENT", true, false, "another problem that cannot be solved"},
	{"OTHER_MISCELLANEOUS_TEMPORARY", false, false, "another problem; trying again may help"},
	{"OTHER_TEST", false, false, "it was a test call"},
	{StalledTimeout, false, false, "the process made no progress for too long"},
	{"TECH_AUDIO", false, true, "the sound was too poor"},
	{"TECH_DISCONNECTED_VIDEO", false, true, "the video broke off"},
	{"TECH_DISCONNECTED_WEBSOCKET", false, true, "the connection broke off, mostly for want of internet on the user's side"},
	{"TECH_HOLOGRAM", false, true, "security features could not be seen or were broken; no suspicion of fraud"},
	{"TECH_ID_TYPE", false, true, "this kind of document is not accepted"},
	{"TECH_IDENT_CODE_DELIVERY", false, true, "the user could not receive the ident code"},
	{TechServer, false, false, "an error on the server"},
	{"TECH_INTERNET_CONNECTION", false, true, "the user's internet connection was too slow"},
	{"TECH_LIGHTING", false, true, "too little light on the person or the document"},
	{TechPhoto, false, true, "the pictures were too poor"},
	{TechTimeout, false, true, "the request was open for more than thirty minutes"},
	{TechVideo, false, true, "the video or the camera was too poor"},
	{"USER_ABORT_WHILE_WAITING", false, true, "the user left while waiting for an agent"},
	{"USER_CANCELLATION", false, true, "the user broke off"},
	{"USER_ID_NUMBER", false, true, "the user read a wrong document number again and again"},
	{"USER_IDENT_CODE", false, true, "the ident code was entered wrong again and again"},
	{"USER_LANGUAGE", true, true, "the user speaks no language that is supported"},
	{"USER_NO_ID", false, true, "the user had no document at hand"},
	{"USER_WRONG_PERSON", false, true, "another person than the one of the application; no suspicion of fraud"},
}

// FraudReasons lists the suspicions of 13.1.1.
var FraudReasons = []Reason{
	"WARNING_SOCIAL_ENGINEERING", "WARNING_ID_MANIPULATION", "WARNING_FAKE_ID", "WARNING_PHOTO", "WARNING_DESCRIPTION",
	"WARNING_BEHAVIOUR", "WARNING_INCONSISTENT_DATA", "WARNING_WRONG_CHECKSUM",
}

// Failure returns the line of the table for r; false when r is no reason for failure.
func (r Reason) Failure() (Failure, bool) {
	i := slices.IndexFunc(Failures, func(f Failure) bool { return f.Reason == r })
	if i < 0 {
		return Failure{}, false
	}
	return Failures[i], true
}

// Permanent says whether no further attempt is possible.
func (r Reason) Permanent() bool {
	f, _ := r.Failure()
	return f.Permanent
}

// Fraud says whether r is a suspicion of fraud.
func (r Reason) Fraud() bool { return slices.Contains(FraudReasons, r) }
