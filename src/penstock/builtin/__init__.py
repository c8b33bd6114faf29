"""The types every server has. They live by the rule of every plugin: of Penstock they import `penstock.sdk` alone."""

from __future__ import annotations

from pydantic import BaseModel

from penstock.builtin import debug, execution, log, output, purge_records, records, sleep, state, templating
from penstock.builtin.amqp import declaring as amqp_declaring
from penstock.builtin.amqp import queues as amqp_queues
from penstock.builtin.aws import changed_objects as s3_trigger
from penstock.builtin.aws import listing as s3_listing
from penstock.builtin.aws import objects as s3_objects
from penstock.builtin.aws import queues as sqs_queues
from penstock.builtin.conditions import dates, executions, logic
from penstock.builtin.debezium import postgres as postgres_changes
from penstock.builtin.email import sending as mail_sending
from penstock.builtin.email import triggers as mail_triggers
from penstock.builtin.flow import (
    call,
    for_each_item,
    loops,
    parallel,
    pause,
    sequence,
    subflow,
    template,
    working_directory,
)
from penstock.builtin.fs import sftp, sftp_trigger
from penstock.builtin.gcp import changed_objects as gcs_trigger
from penstock.builtin.gcp import objects as gcs_objects
from penstock.builtin.git import clone, mirroring, push_files, push_flows, sync_files, sync_flows
from penstock.builtin.http import download, request
from penstock.builtin.http import trigger as http_trigger
from penstock.builtin.jdbc import duckdb, mysql, postgresql, postgresql_copy, sqlite
from penstock.builtin.kafka import consuming as kafka_consuming
from penstock.builtin.kafka import producing as kafka_producing
from penstock.builtin.kv import pairs, purge
from penstock.builtin.mqtt import topics as mqtt_topics
from penstock.builtin.namespace import files as namespace_files
from penstock.builtin.namespace import purge as namespace_purge
from penstock.builtin.nats import subjects as nats_subjects
from penstock.builtin.notifications import chats, slack
from penstock.builtin.redis import lists as redis_lists
from penstock.builtin.runners import docker, process, ssh
from penstock.builtin.scripts import jbang, languages, node, python, shell
from penstock.builtin.serdes import avro, csv, excel, json, parquet, protobuf, xml
from penstock.builtin.storage import files, items, local_files, split
from penstock.builtin.tools import ansible, clouds, dbt, plain
from penstock.builtin.transform import languages as transforms
from penstock.builtin.triggers import monitor, on_dates, schedule, toggle, upstream, webhook

TYPES: tuple[type[BaseModel], ...] = (
    *(dates.DateTimeBetween, dates.DayWeek, dates.DayWeekInMonth, dates.PublicHoliday, dates.TimeBetween),
    *(dates.Weekend,),
    *(amqp_declaring.CreateQueue, amqp_declaring.DeclareExchange, amqp_declaring.QueueBind),
    *(amqp_queues.Consume, amqp_queues.Publish, amqp_queues.QueueTrigger, amqp_queues.Trigger),
    *(ansible.AnsibleCLI,),
    *(avro.AvroToIon, avro.IonToAvro),
    *(call.Call,),
    *(chats.DiscordExecution, chats.DiscordIncomingWebhook, chats.TeamsExecution, chats.TeamsIncomingWebhook),
    *(clone.Clone,),
    *(clouds.AwsCLI, clouds.AzCLI, clouds.GCloudCLI),
    *(csv.CsvToIon, csv.IonToCsv),
    *(dbt.DbtCLI,),
    *(debug.Echo, debug.Return),
    *(docker.Docker,),
    *(download.Download,),
    *(duckdb.Batch, duckdb.Queries, duckdb.Query, duckdb.Trigger),
    *(execution.Assert, execution.Fail, execution.Labels, execution.SetVariables, execution.UnsetVariables),
    *(excel.ExcelToIon, excel.IonToExcel),
    *(executions.ExecutionFlow, executions.ExecutionLabels, executions.ExecutionNamespace),
    *(executions.ExecutionOutputs, executions.ExecutionStatus, executions.FlowCondition),
    *(executions.FlowNamespaceCondition, executions.HasRetryAttempt),
    *(files.Concat, files.Delete, files.PurgeCurrentExecutionFiles, files.Size, files.Write),
    *(for_each_item.ForEachItem, for_each_item.ForEachItemMerge, for_each_item.ForEachItemSplit),
    *(gcs_objects.Copy, gcs_objects.Delete, gcs_objects.DeleteList, gcs_objects.Download, gcs_objects.Downloads),
    *(gcs_objects.List, gcs_objects.Upload),
    *(gcs_trigger.Trigger,),
    *(http_trigger.Trigger,),
    *(items.DeduplicateItems, items.FilterItems, items.Reverse),
    *(jbang.Commands, jbang.Script),
    *(json.IonToJson, json.JsonToIon),
    *(kafka_consuming.Consume, kafka_consuming.RecordTrigger, kafka_consuming.Trigger),
    *(kafka_producing.Produce,),
    *languages.TYPES,
    *(local_files.LocalFiles,),
    *(log.Log,),
    *(logic.Expression, logic.MultipleCondition, logic.Not, logic.Or),
    *(loops.EachParallel, loops.EachSequential, loops.ForEach, loops.Loop, loops.LoopUntil),
    *(mail_sending.MailExecution, mail_sending.MailSend),
    *(mail_triggers.LetterTrigger, mail_triggers.MailReceivedTrigger),
    *(mirroring.NamespaceSync, mirroring.TenantSync),
    *(monitor.ScheduleMonitor,),
    *(mqtt_topics.Publish, mqtt_topics.Subscribe, mqtt_topics.TopicTrigger, mqtt_topics.Trigger),
    *(mysql.Batch, mysql.Queries, mysql.Query, mysql.Trigger),
    *(namespace_files.DeleteFiles, namespace_files.DownloadFiles, namespace_files.UploadFiles),
    *(nats_subjects.Consume, nats_subjects.Produce, nats_subjects.Request),
    *(nats_subjects.SubjectTrigger, nats_subjects.Trigger),
    *(node.Commands, node.Script),
    *(on_dates.ScheduleOnDates,),
    *(namespace_purge.PurgeFiles,),
    *(output.OutputValues,),
    *(pairs.Delete, pairs.Get, pairs.GetKeys, pairs.Set),
    *(parallel.Dag, parallel.Parallel),
    *(parquet.IonToParquet, parquet.ParquetToIon),
    *(pause.Pause,),
    *(postgresql.Batch, postgresql.Queries, postgresql.Query, postgresql.Trigger),
    *(postgresql_copy.CopyIn, postgresql_copy.CopyOut),
    *(plain.DataformCLI, plain.ModalCLI, plain.OpenTofuCLI),
    *(plain.SQLMeshCLI, plain.TerraformCLI, plain.TerragruntCLI),
    *(postgres_changes.ChangeTrigger,),
    *(process.Process,),
    *(protobuf.IonToProtobuf, protobuf.ProtobufToIon),
    *(purge.PurgeKV,),
    *(push_files.PushNamespaceFiles, push_flows.PushFlows),
    *(purge_records.PurgeExecutions, purge_records.PurgeLogs),
    *(python.Commands, python.Script),
    *(records.Count, records.Fetch),
    *(redis_lists.ElementTrigger, redis_lists.Trigger),
    *(transforms.GroovyFileTransform, transforms.JavaScriptFileTransform),
    *(transforms.PythonFileTransform, transforms.RubyFileTransform),
    *(request.Request,),
    *(s3_listing.DeleteList, s3_listing.Downloads, s3_listing.List),
    *(s3_objects.Copy, s3_objects.Delete, s3_objects.Download, s3_objects.Upload),
    *(s3_trigger.Trigger,),
    *(schedule.Schedule,),
    *(sequence.AllowFailure, sequence.If, sequence.Sequential, sequence.Switch),
    *(sftp.Delete, sftp.Download, sftp.Downloads, sftp.List, sftp.Move, sftp.Upload, sftp.Uploads),
    *(sftp_trigger.Trigger,),
    *(shell.Commands, shell.Script),
    *(slack.SlackExecution, slack.SlackIncomingWebhook),
    *(sleep.Sleep,),
    *(split.Split,),
    *(sqlite.Batch, sqlite.Queries, sqlite.Query, sqlite.Trigger),
    *(sqs_queues.Consume, sqs_queues.Publish, sqs_queues.QueueBatchTrigger, sqs_queues.QueueTrigger),
    *(ssh.Ssh,),
    *(state.Delete, state.Get, state.Set),
    *(subflow.Subflow,),
    *(sync_files.SyncNamespaceFiles,),
    *(sync_flows.SyncFlow, sync_flows.SyncFlows),
    *(template.Template,),
    *(templating.TemplatedTask,),
    *(toggle.Toggle,),
    *(upstream.Flow,),
    *(webhook.Webhook,),
    *(working_directory.WorkingDirectory,),
    *(xml.IonToXml, xml.XmlToIon),
)
"""All built-in classes; each names its `type_name`. One line per module."""
