/* SPDX-License-Identifier: MIT */
/*
 * libpq: PostgreSQL's client library, loaded when the first connection is opened.
 *
 * Linking it would cost every start 2.8 ms (it pulls in Kerberos, LDAP and TLS), which is
 * three times what `git version` takes in all; a usage message must not pay for that.
 * So the functions below are looked up by libpq_load(), once, and the macros make calls
 * read as always: PQexec(conn, ...).
 *
 * Only files in pg/ include this. Errors: libpq_load() returns -1 and names the package.
 */
#ifndef PG_LIBPQ_H
#define PG_LIBPQ_H

#include <libpq-fe.h>

#include "base/error.h"

/* Every function of libpq that is used. */
#define LIBPQ_FUNCTIONS(X)      \
	X(PQbackendPID)         \
	X(PQcancel)             \
	X(PQclear)              \
	X(PQcmdStatus)          \
	X(PQcmdTuples)          \
	X(PQconninfo)           \
	X(PQconnectPoll)        \
	X(PQconnectStartParams) \
	X(PQconninfoFree)       \
	X(PQconninfoParse)      \
	X(PQconsumeInput)       \
	X(PQdb)                 \
	X(PQenterPipelineMode)  \
	X(PQerrorMessage)       \
	X(PQescapeIdentifier)   \
	X(PQescapeLiteral)      \
	X(PQexitPipelineMode)   \
	X(PQfinish)             \
	X(PQflush)              \
	X(PQftype)              \
	X(PQfreeCancel)         \
	X(PQfreemem)            \
	X(PQgetCancel)          \
	X(PQgetCopyData)        \
	X(PQgetResult)          \
	X(PQgetisnull)          \
	X(PQgetlength)          \
	X(PQgetvalue)           \
	X(PQhost)               \
	X(PQhostaddr)           \
	X(PQisBusy)             \
	X(PQnfields)            \
	X(PQparameterStatus)    \
	X(PQntuples)            \
	X(PQpipelineSync)       \
	X(PQport)               \
	X(PQputCopyData)        \
	X(PQputCopyEnd)         \
	X(PQresultErrorField)   \
	X(PQresultStatus)       \
	X(PQsendPrepare)        \
	X(PQsendQueryParams)    \
	X(PQsendQueryPrepared)  \
	X(PQserverVersion)      \
	X(PQsetNoticeReceiver)  \
	X(PQsetnonblocking)     \
	X(PQsocket)             \
	X(PQstatus)             \
	X(PQtransactionStatus)

struct libpq {
#define LIBPQ_MEMBER(name) __typeof__(&name) name##_;
	LIBPQ_FUNCTIONS(LIBPQ_MEMBER)
#undef LIBPQ_MEMBER
};
extern struct libpq libpq;

int libpq_load(struct error *err) MUST_CHECK;
/* Begins with it, on a thread: most of it is 24 libraries that have to be mapped. */
void libpq_load_start(void);

#define PQbackendPID	     libpq.PQbackendPID_
#define PQcancel	     libpq.PQcancel_
#define PQclear		     libpq.PQclear_
#define PQcmdStatus	     libpq.PQcmdStatus_
#define PQcmdTuples	     libpq.PQcmdTuples_
#define PQconnectPoll	     libpq.PQconnectPoll_
#define PQconnectStartParams libpq.PQconnectStartParams_
#define PQconninfo	     libpq.PQconninfo_
#define PQconninfoFree	     libpq.PQconninfoFree_
#define PQconninfoParse	     libpq.PQconninfoParse_
#define PQconsumeInput	     libpq.PQconsumeInput_
#define PQdb		     libpq.PQdb_
#define PQenterPipelineMode  libpq.PQenterPipelineMode_
#define PQerrorMessage	     libpq.PQerrorMessage_
#define PQescapeIdentifier   libpq.PQescapeIdentifier_
#define PQescapeLiteral	     libpq.PQescapeLiteral_
#define PQexitPipelineMode   libpq.PQexitPipelineMode_
#define PQfinish	     libpq.PQfinish_
#define PQflush		     libpq.PQflush_
#define PQftype		     libpq.PQftype_
#define PQfreeCancel	     libpq.PQfreeCancel_
#define PQfreemem	     libpq.PQfreemem_
#define PQgetCancel	     libpq.PQgetCancel_
#define PQgetCopyData	     libpq.PQgetCopyData_
#define PQgetResult	     libpq.PQgetResult_
#define PQgetisnull	     libpq.PQgetisnull_
#define PQgetlength	     libpq.PQgetlength_
#define PQgetvalue	     libpq.PQgetvalue_
#define PQhost		     libpq.PQhost_
#define PQhostaddr	     libpq.PQhostaddr_
#define PQisBusy	     libpq.PQisBusy_
#define PQnfields	     libpq.PQnfields_
#define PQntuples	     libpq.PQntuples_
#define PQparameterStatus    libpq.PQparameterStatus_
#define PQpipelineSync	     libpq.PQpipelineSync_
#define PQport		     libpq.PQport_
#define PQputCopyData	     libpq.PQputCopyData_
#define PQputCopyEnd	     libpq.PQputCopyEnd_
#define PQresultErrorField   libpq.PQresultErrorField_
#define PQresultStatus	     libpq.PQresultStatus_
#define PQsendPrepare	     libpq.PQsendPrepare_
#define PQsendQueryParams    libpq.PQsendQueryParams_
#define PQsendQueryPrepared  libpq.PQsendQueryPrepared_
#define PQserverVersion	     libpq.PQserverVersion_
#define PQsetNoticeReceiver  libpq.PQsetNoticeReceiver_
#define PQsetnonblocking     libpq.PQsetnonblocking_
#define PQsocket	     libpq.PQsocket_
#define PQstatus	     libpq.PQstatus_
#define PQtransactionStatus  libpq.PQtransactionStatus_

#endif
